import { packError } from '../protocol/index.ts'

/** Runs an RPC method's body so that its errors keep their code on the way to the caller. */
export async function guarded<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw packError(error)
  }
}
