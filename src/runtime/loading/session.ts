/** A destination's connection to its database. */
import { type AirbyteError, toAirbyteError } from '../../protocol/index.ts'
import type { CheckResult } from '../contract.ts'

/** A connection that is opened when first used and again after it broke. */
export interface Session<Client> {
  /** Runs the work in a transaction; anything thrown rolls back and comes out as an AirbyteError. */
  transaction<T>(work: (client: Client) => Promise<T>): Promise<T>
  /** Outside of a transaction. */
  run<T>(work: (client: Client) => Promise<T>): Promise<T>
  /** Yields what the work yields. A consumer that stops early costs the connection, not the next call. */
  stream<T>(work: (client: Client) => AsyncIterable<T>): AsyncGenerator<T>
  close(): Promise<void>
}

/** What of it is the database's. */
export interface SessionDriver<Client> {
  /** @param lost called when the connection is good for nothing any more */
  open(lost: () => void): Promise<Client>
  close(client: Client): Promise<void>
  execute(client: Client, sql: 'BEGIN' | 'COMMIT' | 'ROLLBACK'): Promise<unknown>
  mapError(error: unknown): AirbyteError
}

/** What a check says after a look at the database; `begin` may throw what is wrong with the config. */
export async function checked<Client>(
  begin: () => { session: Session<Client>; look(client: Client): Promise<void> },
): Promise<CheckResult> {
  try {
    const { session, look } = begin()
    try {
      await session.run(look)
      return { ok: true }
    } finally {
      await session.close()
    }
  } catch (error) {
    return { ok: false, problem: toAirbyteError(error).toJSON() }
  }
}

export function openSession<Client>(driver: SessionDriver<Client>): Session<Client> {
  let current: Client | null = null

  async function client(): Promise<Client> {
    if (current) return current
    const opened = await driver.open(() => {
      if (current === opened) current = null
    })
    current = opened
    return opened
  }

  async function drop(): Promise<void> {
    const broken = current
    current = null
    if (broken) await driver.close(broken)
  }

  async function run<T>(work: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await work(await client())
    } catch (error) {
      throw driver.mapError(error)
    }
  }

  return {
    run,
    close: drop,
    async *stream(work) {
      let whole = false
      try {
        yield* work(await client())
        whole = true
      } catch (error) {
        throw driver.mapError(error)
      } finally {
        if (!whole) await drop()
      }
    },
    transaction: (work) =>
      run(async (client) => {
        await driver.execute(client, 'BEGIN')
        try {
          const result = await work(client)
          await driver.execute(client, 'COMMIT')
          return result
        } catch (error) {
          // A connection that cannot roll back is cut: the server then rolls back by itself.
          await driver.execute(client, 'ROLLBACK').catch(drop)
          throw error
        }
      }),
  }
}
