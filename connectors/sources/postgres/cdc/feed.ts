import type pg from 'pg'
import {
  CDC_COLUMNS,
  type ChangeBatch,
  type ChangeEvent,
  type ChangeFeed,
  guardPublications,
  guardSlot,
  lsnCell,
  nameOf,
  openChangeFeed,
  positionFromJson,
  positionToJson,
  TypeVersions,
  tableOid,
  takeOverSlot,
  toChangeLog,
} from '../../../../src/cdc/postgres/index.ts'
import {
  parseStreamKey,
  type RecordBatch,
  type StreamDescriptor,
  type StreamKey,
  streamKey,
} from '../../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../../src/runtime/contract.ts'
import { closePostgres, connectPostgres } from '../../../../src/runtime/postgres/client.ts'
import { mapPostgresError } from '../../../../src/runtime/postgres/errors.ts'
import type { LogEvent, LogFeed, LogPlace, LogStream } from '../../../../src/runtime/source-log.ts'
import type { SourceConfig } from '../config.ts'
import { cdcOf, readerName } from './config.ts'
import { askTable, fillUnchanged, tableOf } from './fill.ts'
import { fillUnsure, tellOwn } from './own-types.ts'
import { setupOf, withClient } from './setup.ts'
import { describeStreams } from './shape.ts'

/** How often the publications are looked at, and the heartbeat's statement is run. */
const GUARD_MS = 10_000
const HEARTBEAT_MS = 60_000
/** A row waits so long for a fuller segment, unless someone asks. */
const LINGER_MS = 2_000

/** Opens the log where it was left. Whatever of ours still holds the slot is ended; a stranger is not. */
export async function openFeed(
  ctx: ConnectorContext,
  config: SourceConfig,
  place: LogPlace,
  streams: LogStream[],
): Promise<LogFeed> {
  const { slot, publications } = setupOf(place)
  const position = positionFromJson(place.position)
  const applicationName = readerName(slot)
  await withClient(ctx, config, async (client) => {
    await guard(client, place)
    await takeOverSlot(client, slot, { applicationName })
  })
  const feed = await openChangeFeed(ctx, config, {
    ...{ slot, publications, position, applicationName, lingerMs: LINGER_MS },
    ...(place.loaded && { acknowledged: positionFromJson(place.loaded).confirmed }),
    describe: describeStreams(streams, setupOf(place).tables),
    copyText: true,
  })
  return new PostgresFeed(ctx, config, place, streams, feed)
}

async function guard(client: pg.Client, place: LogPlace): Promise<void> {
  const { slot, incarnations } = setupOf(place)
  await guardSlot(client, slot, positionFromJson(place.position))
  await guardPublications(client, incarnations)
}

class PostgresFeed implements LogFeed {
  readonly #ctx: ConnectorContext
  readonly #config: SourceConfig
  readonly #place: LogPlace
  readonly #keys: Map<StreamKey, string[]>
  /** By which tables are known that have other names now. */
  readonly #oids: Map<StreamKey, number | undefined>
  readonly #feed: ChangeFeed
  readonly #types: TypeVersions
  /** Reading and acknowledging may want it at once. */
  #opened: Promise<pg.Client> | undefined
  #isOver = false
  #guardedAt: number
  #beatAt = 0

  constructor(
    ctx: ConnectorContext,
    config: SourceConfig,
    place: LogPlace,
    streams: LogStream[],
    feed: ChangeFeed,
  ) {
    this.#ctx = ctx
    this.#config = config
    this.#place = place
    this.#keys = new Map(streams.map((s) => [streamKey(s.stream), s.primaryKey]))
    const { tables } = setupOf(place)
    this.#oids = new Map(tables.map((table) => [nameOf(table), tableOid(table)]))
    this.#feed = feed
    this.#guardedAt = ctx.now()
    this.#types = new TypeVersions(setupOf(place).types)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LogEvent> {
    try {
      for await (const event of this.#feed) {
        const told = await this.#eventOf(event)
        if (told) yield told
        await this.#beat()
      }
    } finally {
      this.#isOver = true
      const client = await this.#opened?.catch(() => undefined)
      if (client) await closePostgres(client)
    }
  }

  async acknowledge(position: LogPlace['position']): Promise<void> {
    // From PostgreSQL 18 on the server passes over a publication that is gone, without a word.
    if (!this.#isOver && this.#ctx.now() - this.#guardedAt >= GUARD_MS) {
      const { incarnations } = setupOf(this.#place)
      await guardPublications(await this.#session(), incarnations)
      this.#guardedAt = this.#ctx.now()
    }
    this.#feed.acknowledge(positionFromJson(position))
  }

  ask(): void {
    this.#feed.ask()
  }

  close(): Promise<void> {
    return this.#feed.close()
  }

  async #eventOf(event: ChangeEvent): Promise<LogEvent | undefined> {
    switch (event.type) {
      case 'changes':
        return {
          type: 'batch',
          batch: await this.#whole(event.batch, await this.#told(event.batch)),
        }
      case 'copied':
        return { type: 'batch', batch: event.batch }
      case 'truncate':
        return { type: 'batch', batch: truncation(event, this.#ctx.now()) }
      case 'checkpoint':
        return { type: 'checkpoint', position: positionToJson(event.position) }
      default:
        return undefined
    }
  }

  /**
   * What a change of the key left out is what the row of the *old* key had. That row may be of another
   * time at the destination (a snapshot that read a later row of that key): so it is read at once.
   */
  async #whole({ movedFrom, stream: of }: ChangeBatch, records: RecordBatch): Promise<RecordBatch> {
    const key = this.#keys.get(of)
    if (!movedFrom?.size || !key?.length) return records
    const isLeftOut = records.changes?.some((c) => c.change === 'UNCHANGED' && movedFrom.has(c.row))
    if (!isLeftOut) return records
    return this.#ask(of, (client, table) =>
      fillUnchanged(client, () => tableOf(client, table), key, records, new Set(movedFrom.keys())),
    )
  }

  /** Asks the table that is followed, whatever it is called now. */
  async #ask<T>(
    of: StreamKey,
    ask: (client: pg.Client, table: StreamDescriptor | undefined) => Promise<T>,
  ): Promise<T> {
    const client = await this.#session()
    const oid = this.#oids.get(of)
    return oid === undefined
      ? ask(client, parseStreamKey(of))
      : askTable(client, oid, (table) => ask(client, table))
  }

  /** With the values of the database's own types as a snapshot has them. */
  async #told(batch: ChangeBatch): Promise<RecordBatch> {
    const records = toChangeLog(batch)
    if (!batch.printed) return records
    const client = await this.#session()
    const oids = batch.printed.map(({ typeOid }) => typeOid)
    const types = await this.#types.lookUp(client, oids).catch((error: unknown) => {
      throw mapPostgresError(error, this.#config)
    })
    const { records: told, unsure } = tellOwn(batch, records, types)
    if (unsure.size === 0) return told
    const names = [...unsure].join("', '")
    this.#ctx.log(
      'warn',
      `The type of '${names}' of ${batch.stream} was altered while its log was read: rows from before are read from the table.`,
    )
    const key = this.#keys.get(batch.stream) ?? []
    return this.#ask(batch.stream, (session, table) =>
      fillUnsure(session, key, told, unsure, { table }),
    )
  }

  async #beat(): Promise<void> {
    const statement = cdcOf(this.#config)?.heartbeat_action_query
    if (!statement || this.#ctx.now() - this.#beatAt < HEARTBEAT_MS) return
    this.#beatAt = this.#ctx.now()
    const client = await this.#session()
    await client.query(statement).catch((error: Error) => {
      this.#ctx.log('warn', `The heartbeat's statement failed: ${error.message}`)
    })
  }

  #session(): Promise<pg.Client> {
    this.#opened ??= connectPostgres(this.#ctx, this.#config, {
      applicationName: 'airbyte cdc setup',
    }).catch((error) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }
}

/** A truncate as a row of its own: it has no values but its place and its time. */
function truncation(
  { stream, order, at }: Extract<ChangeEvent, { type: 'truncate' }>,
  extractedAt: number,
): RecordBatch {
  return {
    ...{ kind: 'records', stream, schema: CDC_COLUMNS, length: 1, op: ['t'], extractedAt },
    columns: [[lsnCell(order.commit)], [at], [at]],
  }
}
