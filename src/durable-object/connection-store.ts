import { emptyRowHash, formatRowHash } from '../core/row-hash.ts'
import type { StreamOutcome, SyncStreamInput } from '../core/sync-engine/types.ts'
import type { Column, StreamKey, StreamState } from '../protocol/index.ts'
import { streamKey } from '../protocol/index.ts'
import type { ConnectionRecord, StreamConfig, SyncSummary } from './rpc.ts'

export const CONNECTION_MIGRATIONS = [
  `create table streams (
    key text primary key, state text, generation integer not null default 0,
    minimum_generation integer not null default 0, complete integer not null default 1,
    rows integer not null default 0, row_hash text not null, columns text not null default '[]');
  create table syncs (sync_id integer primary key, summary text not null);`,
] as const

const NO_ROWS = formatRowHash(emptyRowHash())

export interface StreamRow {
  key: StreamKey
  state: StreamState | null
  /** Grows whenever reading starts from nothing or from a position set by hand. */
  generation: number
  /** Rows of older generations go when a sync of this one completes. */
  minimumGeneration: number
  /** A full refresh of this generation has succeeded. */
  complete: boolean
  rows: number
  rowHash: string
  columns: Column[]
}

/** The rows of one connection, typed; synchronous. */
export class ConnectionStore {
  readonly #sql: SqlStorage
  readonly #kv: SyncKvStorage

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql
    this.#kv = storage.kv
  }

  record(): ConnectionRecord | undefined {
    return this.#kv.get<ConnectionRecord>('connection')
  }

  saveRecord(record: ConnectionRecord): void {
    this.#kv.put('connection', record)
  }

  /** The sync that runs now; `accepted` once its object has it. */
  current(): RunningSync | undefined {
    return this.#kv.get<RunningSync>('current')
  }

  setCurrent(current: RunningSync | undefined): void {
    if (current) this.#kv.put('current', current)
    else this.#kv.delete('current')
  }

  configFailures(): number {
    return this.#kv.get<number>('configFailures') ?? 0
  }

  setConfigFailures(count: number): void {
    this.#kv.put('configFailures', count)
  }

  streams(): StreamRow[] {
    return this.#sql.exec('select * from streams order by key').toArray().map(toStream)
  }

  stream(key: StreamKey): StreamRow {
    const [row] = this.#sql.exec('select * from streams where key = ?', key).toArray()
    return row ? toStream(row) : { ...UNREAD, key }
  }

  saveStream(row: StreamRow): void {
    this.#sql.exec(
      `insert or replace into streams
       (key, state, generation, minimum_generation, complete, rows, row_hash, columns)
       values (?, ?, ?, ?, ?, ?, ?, ?)`,
      row.key,
      row.state === null ? null : JSON.stringify(row.state),
      row.generation,
      row.minimumGeneration,
      row.complete ? 1 : 0,
      row.rows,
      row.rowHash,
      JSON.stringify(row.columns),
    )
  }

  /** Opens a new generation that starts at `state`; `remove` lets older rows go when it completes. */
  openGeneration(key: StreamKey, state: StreamState | null, remove: boolean): StreamRow {
    const row = this.stream(key)
    const generation = row.generation + 1
    const next = {
      ...row,
      ...{ state, generation, complete: false, rows: 0, rowHash: NO_ROWS },
      minimumGeneration: remove ? generation : row.minimumGeneration,
    }
    this.saveStream(next)
    return next
  }

  /** What a new sync of this stream starts with; takes or continues a generation. */
  inputOf(config: StreamConfig): SyncStreamInput {
    const key = streamKey(config)
    const found = this.stream(key)
    const startsOver = config.syncMode === 'full_refresh' && found.complete
    const row = found.generation === 0 || startsOver ? this.openGeneration(key, null, false) : found
    const replaces = config.destinationSyncMode.startsWith('overwrite')
    return {
      config,
      state: row.state,
      generationId: row.generation,
      minimumGenerationId: replaces ? row.generation : row.minimumGeneration,
      generationRows: row.rows,
      generationHash: row.rowHash,
      knownColumns: row.columns,
    }
  }

  /** Keeps what a sync left behind, unless the stream was refreshed meanwhile. */
  keepOutcome(outcome: StreamOutcome): void {
    const row = this.stream(outcome.key)
    if (row.generation !== outcome.generationId) return
    this.saveStream({
      ...row,
      state: outcome.state,
      complete: outcome.generationComplete,
      rows: outcome.rowsInGeneration,
      rowHash: outcome.rowHashInGeneration,
      columns: outcome.columns,
    })
  }

  syncs(limit: number, before: number): SyncSummary[] {
    const query = 'select summary from syncs where sync_id < ? order by sync_id desc limit ?'
    const rows = this.#sql.exec(query, before, limit).toArray()
    return rows.map((row) => JSON.parse(String(row.summary)) as SyncSummary)
  }

  saveSync(summary: SyncSummary): void {
    const text = JSON.stringify(summary)
    this.#sql.exec('insert or replace into syncs values (?, ?)', summary.syncId, text)
  }
}

export interface RunningSync {
  syncId: number
  accepted: boolean
  trigger: 'manual' | 'schedule'
  streams?: StreamKey[]
  acceptEmpty: boolean
}

const UNREAD: Omit<StreamRow, 'key'> = {
  state: null,
  generation: 0,
  minimumGeneration: 0,
  complete: true,
  rows: 0,
  rowHash: NO_ROWS,
  columns: [],
}

const toStream = (row: Record<string, SqlStorageValue>): StreamRow => ({
  key: String(row.key),
  state: row.state === null ? null : JSON.parse(String(row.state)),
  generation: Number(row.generation),
  minimumGeneration: Number(row.minimum_generation),
  complete: row.complete === 1,
  rows: Number(row.rows),
  rowHash: String(row.row_hash),
  columns: JSON.parse(String(row.columns)),
})
