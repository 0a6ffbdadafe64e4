import type pg from 'pg'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import {
  type Session as DatabaseSession,
  openSession as openDatabase,
} from '../../../src/runtime/loading/session.ts'
import { closePostgres, connectPostgres } from '../../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../../src/runtime/postgres/config.ts'
import { mapPostgresError } from '../../../src/runtime/postgres/errors.ts'

export type Session = DatabaseSession<pg.Client>

/** Those of one loader: the second is for a chunk that is copied while the one before is merged. */
export class Sessions {
  readonly first: Session
  readonly #open: () => Session
  #second: Session | undefined
  readonly #busy = new Set<Session>()

  constructor(open: () => Session) {
    this.first = open()
    this.#open = open
  }

  /** Does the work in one that nobody works in; if the database has none, in the first one after `turn`. */
  async use<T>(
    turn: Promise<void> | undefined,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    const session = this.#busy.has(this.first) ? await this.#secondOrNone() : this.first
    if (!session) await turn
    const own = session ?? this.first
    this.#busy.add(own)
    try {
      return await work(own)
    } finally {
      this.#busy.delete(own)
    }
  }

  async #secondOrNone(): Promise<Session | undefined> {
    this.#second ??= this.#open()
    const second = this.#second
    return second.run(async () => second).catch(() => undefined)
  }

  async close(): Promise<void> {
    await Promise.all([this.first.close(), this.#second?.close()])
  }
}

const SETTINGS = {
  // To compile a merge, which the planner thinks dear, takes as long as the merge.
  jit: 'off',
  // The temporary table of a chunk to be merged stays in memory, of which no more is taken than it fills.
  temp_buffers: '32MB',
}

export const openSession = (
  ctx: ConnectorContext,
  config: PostgresConfig,
  stream?: string,
): Session => {
  let onEnd = () => {}
  return openDatabase({
    async open(lost) {
      const client = await connectPostgres(ctx, config, {
        applicationName: 'airbyte destination',
        sessionIfKnown: SETTINGS,
      })
      onEnd = lost
      client.once('end', onEnd)
      return client
    },
    close(client) {
      // It may be left to somebody else.
      client.off('end', onEnd)
      return closePostgres(client)
    },
    // Whatever the database's default: a chunk must see what was committed while it was copied.
    execute: (client, sql) =>
      client.query(sql === 'BEGIN' ? 'BEGIN ISOLATION LEVEL READ COMMITTED' : sql),
    mapError: (error) => mapPostgresError(error, { ...config, stream }),
  })
}
