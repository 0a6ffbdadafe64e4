import type pg from 'pg'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { closePostgres, connectPostgres } from '../../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../../src/runtime/postgres/config.ts'
import { mapPostgresError } from '../../../src/runtime/postgres/errors.ts'

/** A connection that is opened when first used and again after it broke. */
export interface Session {
  /** Runs the work in a transaction; anything thrown rolls back and comes out as an AirbyteError. */
  transaction<T>(work: (client: pg.Client) => Promise<T>): Promise<T>
  /** Outside of a transaction. */
  run<T>(work: (client: pg.Client) => Promise<T>): Promise<T>
  /** Yields what the work yields. A consumer that stops early costs the connection, not the next call. */
  stream<T>(work: (client: pg.Client) => AsyncIterable<T>): AsyncGenerator<T>
  close(): Promise<void>
}

export function openSession(
  ctx: ConnectorContext,
  config: PostgresConfig,
  stream?: string,
): Session {
  let current: pg.Client | null = null

  async function client(): Promise<pg.Client> {
    if (current) return current
    const opened = await connectPostgres(ctx, config, { applicationName: 'airbyte destination' })
    opened.once('end', () => {
      if (current === opened) current = null
    })
    current = opened
    return opened
  }

  async function drop(): Promise<void> {
    const broken = current
    current = null
    if (broken) await closePostgres(broken)
  }

  async function run<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    try {
      return await work(await client())
    } catch (error) {
      throw mapPostgresError(error, { ...config, stream })
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
        throw mapPostgresError(error, { ...config, stream })
      } finally {
        if (!whole) await drop()
      }
    },
    transaction: (work) =>
      run(async (client) => {
        await client.query('BEGIN')
        try {
          const result = await work(client)
          await client.query('COMMIT')
          return result
        } catch (error) {
          // A connection that cannot roll back is cut: the server then rolls back by itself.
          await client.query('ROLLBACK').catch(drop)
          throw error
        }
      }),
  }
}
