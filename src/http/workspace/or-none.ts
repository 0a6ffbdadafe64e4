import { toAirbyteError } from '../../protocol/index.ts'

/** What a call finds; undefined where there is no such thing (any more). */
export async function orNone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (toAirbyteError(error).code === 'NOT_FOUND') return undefined
    throw error
  }
}
