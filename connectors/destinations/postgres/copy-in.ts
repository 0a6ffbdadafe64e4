import type pg from 'pg'
import { from } from 'pg-copy-streams'

/** A running COPY … FROM STDIN. */
export interface CopyIn {
  /** Resolves when the socket has room for more. Rejects with PostgreSQL's error. */
  write(bytes: Uint8Array): Promise<void>
  /** Resolves with the number of rows once PostgreSQL has taken them all. */
  end(): Promise<number>
  /** Gives up: PostgreSQL forgets the rows of this COPY. The connection stays usable. */
  cancel(): Promise<void>
}

/**
 * One write is outstanding while the next batch is made: the socket's back-pressure reaches the
 * caller batch by batch, and PostgreSQL does not wait for the caller.
 */
export function copyIn(client: pg.Client, sql: string): CopyIn {
  const stream = client.query(from(sql))
  let failure: unknown
  const failed = new Promise<never>((_, reject) => {
    stream.once('error', (error) => {
      failure = error
      reject(error)
    })
  })
  failed.catch(() => {})
  stream.on('error', () => {})

  /** An error comes before the server is ready for the next statement: wait for that too. */
  const orRefused = (done: Promise<void>) =>
    Promise.race([done, failed]).catch(async (error) => {
      await untilIdle(client)
      throw error
    })

  let written: Promise<void> = Promise.resolve()

  return {
    async write(bytes) {
      await orRefused(written)
      if (failure) throw failure
      written = new Promise((resolve) => stream.write(bytes, () => resolve()))
    },
    async end() {
      await orRefused(written)
      if (failure) throw failure
      const finished = new Promise<void>((resolve) => stream.end(resolve))
      await orRefused(finished)
      return stream.rowCount
    },
    async cancel() {
      if (failure) return
      stream.destroy(new Error('the rows could not be read to their end'))
      await failed.catch(() => untilIdle(client))
    },
  }
}

async function untilIdle(client: pg.Client): Promise<void> {
  const { readyForQuery, connection } = client as unknown as {
    readyForQuery: boolean
    connection: { stream: { destroyed: boolean } }
  }
  if (readyForQuery || connection.stream.destroyed) return
  await new Promise<void>((resolve) => {
    const settle = () => {
      for (const event of EVENTS) client.off(event, settle)
      resolve()
    }
    for (const event of EVENTS) client.on(event, settle)
  })
}

const EVENTS = ['drain', 'end', 'error'] as ['drain', 'end', 'error']
