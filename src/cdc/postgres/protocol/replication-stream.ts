import type { Buffer } from 'node:buffer'
import pg from 'pg'
import type { ConnectorContext } from '../../../runtime/contract.ts'
import { closePostgres, connectPostgres } from '../../../runtime/postgres/client.ts'
import type { PostgresConfig } from '../../../runtime/postgres/config.ts'
import { mapPostgresError } from '../../../runtime/postgres/errors.ts'
import { type Lsn, printLsn } from '../position.ts'
import { CopyBoth, submit } from './copy-both.ts'
import { mapReplicationError } from './errors.ts'

export interface ReplicationOptions {
  slot: string
  publications: string[]
  /** Where to start: everything before it is done, and may be forgotten by the server by default. */
  start: Lsn
  /** What the server may forget already, if that is less than `start`. */
  acknowledged?: Lsn
  /** What `pg_stat_activity` shows; it tells our own walsenders from a stranger's. */
  applicationName: string
}

/** An open log. One reader; `close` it. */
export interface ReplicationStream {
  /** The walsender's process: what `pg_stat_replication` and `pg_replication_slots` show. */
  readonly pid: number
  /** End of the log that has arrived. */
  readonly received: Lsn
  /** Nothing is waiting to be read. */
  readonly idle: boolean
  /** Whole CopyData messages; undefined at the end, or after `timeoutMs` without any. */
  next(timeoutMs?: number): Promise<Buffer | undefined>
  /** The server may forget the log before `lsn`: call it only once that is durable. */
  acknowledge(lsn: Lsn): void
  /** Has the server say how far it is, by a keepalive. */
  ask(): void
  /** Tells the server, waits up to two seconds in all, and cuts. Never rejects. */
  close(): Promise<void>
}

/** Time for a server to end its stream in good order before it is cancelled. */
const LEAVE_MS = 500

/**
 * Starts logical replication through pgoutput, protocol version 2, tuples as text.
 *
 * Rejects with CDC_SETUP_REQUIRED (no right to replicate, no slot, no publication), CDC_SLOT_IN_USE,
 * CDC_POSITION_LOST or what `connectPostgres` rejects with. `next` rejects with the same codes.
 *
 * @example
 * const stream = await openReplication(ctx, config, { slot, publications, start, applicationName })
 * for (let bytes = await stream.next(); bytes; bytes = await stream.next()) decoder.decode(bytes)
 */
export async function openReplication(
  ctx: ConnectorContext,
  config: PostgresConfig,
  options: ReplicationOptions,
): Promise<ReplicationStream> {
  const place = { ...options, username: config.username }
  const client = await connectPostgres(ctx, config, {
    applicationName: options.applicationName,
    replication: 'database',
    // What `money` prints must not depend on the server's locale.
    // A server that is impatient must not take a reader that is held back for a dead one.
    session: { lc_monetary: 'C', wal_sender_timeout: '60s' },
  }).catch((error: unknown) => {
    throw mapReplicationError(error, place)
  })
  const copy = new CopyBoth(startSql(options), options.start, ctx.now, options.acknowledged)
  const fail = (error: unknown) => mapReplicationError(mapPostgresError(error, config), place)
  try {
    submit(client, copy)
    await copy.started()
  } catch (error) {
    await closePostgres(client)
    throw fail(error)
  }
  return {
    pid: (client as unknown as { processID: number }).processID,
    get received() {
      return copy.received
    },
    get idle() {
      return copy.idle
    },
    async next(timeoutMs) {
      try {
        return await copy.next(timeoutMs)
      } catch (error) {
        throw fail(error)
      }
    },
    acknowledge: (lsn) => copy.acknowledge(lsn),
    ask: () => copy.sendStatus(true),
    async close() {
      await copy.leave(LEAVE_MS)
      await closePostgres(client)
    },
  }
}

function startSql({ slot, publications, start }: ReplicationOptions): string {
  const names = publications.map((name) => pg.escapeIdentifier(name)).join(',')
  const options = [`proto_version '2'`, `publication_names ${pg.escapeLiteral(names)}`]
  return `START_REPLICATION SLOT ${pg.escapeIdentifier(slot)} LOGICAL ${printLsn(start)} (${options.join(', ')})`
}
