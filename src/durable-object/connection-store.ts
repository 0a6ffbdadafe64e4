import { emptyRowHash, formatRowHash } from '../core/row-hash.ts'
import type { RowBasis } from '../core/sync-engine/row-basis.ts'
import type { StreamOutcome, SyncStreamInput } from '../core/sync-engine/types.ts'
import {
  type Column,
  diffLists,
  type FieldRange,
  isDedup,
  type PartitionDelta,
  type PartitionState,
  type StreamKey,
  type StreamState,
  splitState,
  streamKey,
} from '../protocol/index.ts'
import { exactJson, parseExactIntegers } from '../runtime/exact-json.ts'
import { LargeValue, largeValueTable } from './large-value.ts'
import type { ConnectionRecord, StreamConfig, SyncSummary } from './rpc.ts'

export const CONNECTION_MIGRATIONS = [
  `create table streams (
    key text primary key, state text, generation integer not null default 0,
    minimum_generation integer not null default 0, complete integer not null default 1,
    rows integer not null default 0, row_hash text not null, columns text not null default '[]');
  create table syncs (sync_id integer primary key, summary text not null);`,
  `alter table streams add column previous_rows integer not null default 0;
  alter table streams add column last_rows_at integer;
  alter table streams add column longest_gap integer not null default 0;
  alter table streams add column active_syncs integer not null default 0;`,
  'alter table streams add column last_chunk text;',
  `create table partitions (
    stream text not null, list text not null, key text not null, entry text not null,
    primary key (stream, list, key)) without rowid;`,
  'create table seen_streams (key text primary key) without rowid;',
  'alter table streams add column opened integer not null default 0;',
  'alter table streams add column settled text;',
  largeValueTable('stream_configs'),
  'alter table streams add column basis text;',
] as const

const NO_ROWS = formatRowHash(emptyRowHash())

export interface StreamRow {
  key: StreamKey
  state: StreamState | null
  /** The newest chunk that the destination had when the state was committed. */
  lastChunk: string | null
  /** Grows whenever reading starts from nothing or from a position set by hand. */
  generation: number
  /** The generation at which reading last started anew; those after it only tell rows apart. */
  opened: number
  /** Rows of older generations go when a sync of this one completes. */
  minimumGeneration: number
  /** A full refresh of this generation has succeeded. */
  complete: boolean
  rows: number
  rowHash: string
  columns: Column[]
  /** Rows of the last complete generation before this one. */
  previousRows: number
  /** When a sync last moved rows, epoch milliseconds. */
  lastRowsAt: number | null
  /** The longest time between two syncs that moved rows. */
  longestGapMs: number
  /** Syncs that moved rows. */
  activeSyncs: number
  /** @see SyncStreamInput.settled */
  settled: string | null
  /** Of the rows that are there; null: an earlier version did not keep it. */
  basis: RowBasis | null
}

/** Thousands of streams are more than a value may hold: they are kept apart, and this says which. */
type KeptRecord = Omit<ConnectionRecord, 'streams'> & { configs: string }

/** The rows of one connection, typed; synchronous. */
export class ConnectionStore {
  readonly #sql: SqlStorage
  readonly #kv: SyncKvStorage
  readonly #configs: LargeValue<StreamConfig[]>

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql
    this.#kv = storage.kv
    this.#configs = new LargeValue(storage.sql, 'stream_configs')
  }

  record(): ConnectionRecord | undefined {
    const kept = this.#kv.get<KeptRecord | ConnectionRecord>('connection')
    // One that was kept by an earlier version has its streams with it.
    if (!kept || !('configs' in kept)) return kept
    const { configs, ...record } = kept
    return { ...record, streams: this.#configs.of(configs) }
  }

  saveRecord({ streams, ...record }: ConnectionRecord): void {
    const before = this.#kv.get<Partial<KeptRecord>>('connection')
    const configs = this.#configs.save(streams, before?.configs)
    this.#kv.put('connection', { ...record, configs } satisfies KeptRecord)
  }

  /** The sync that runs now; `accepted` once its object has it. */
  current(): RunningSync | undefined {
    return this.#kv.get<RunningSync>('current')
  }

  setCurrent(current: RunningSync | undefined): void {
    if (current) this.#kv.put('current', current)
    else this.#kv.delete('current')
  }

  /** Those that were never seen at the source; none before streams were first looked at. */
  unseen(keys: StreamKey[]): StreamKey[] {
    if (!this.hasSeenAny()) return []
    const query = 'select 1 from seen_streams where key = ?'
    return keys.filter((key) => this.#sql.exec(query, key).toArray().length === 0)
  }

  see(keys: StreamKey[]): void {
    for (const key of keys) this.#sql.exec('insert or ignore into seen_streams values (?)', key)
  }

  hasSeenAny(): boolean {
    return this.#sql.exec('select 1 from seen_streams limit 1').toArray().length > 0
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
       (key, state, generation, minimum_generation, complete, rows, row_hash, columns,
        previous_rows, last_rows_at, longest_gap, active_syncs, last_chunk, opened, settled,
        basis)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.key,
      row.state === null ? null : exactJson(row.state),
      row.generation,
      row.minimumGeneration,
      row.complete ? 1 : 0,
      row.rows,
      row.rowHash,
      JSON.stringify(row.columns),
      ...[row.previousRows, row.lastRowsAt, row.longestGapMs, row.activeSyncs, row.lastChunk],
      ...[row.opened, row.settled, row.basis && JSON.stringify(row.basis)],
    )
  }

  /** Opens a new generation that starts at `state`; `remove` lets older rows go when it completes. */
  openGeneration(key: StreamKey, given: StreamState | null, remove: boolean): StreamRow {
    const row = this.stream(key)
    const generation = row.generation + 1
    const state = given && this.#takePartitions(key, given)
    if (!given) this.dropPartitions(key)
    const next = {
      ...row,
      ...{ state, lastChunk: null, generation, opened: generation, complete: false },
      ...{ rows: 0, rowHash: NO_ROWS, settled: null },
      minimumGeneration: remove ? generation : row.minimumGeneration,
      previousRows: row.complete ? row.rows : row.previousRows,
    }
    this.saveStream(next)
    return next
  }

  /* partitions: the lists in a stream's state, an entry a row */

  applyDelta(key: StreamKey, delta: PartitionDelta): void {
    for (const [list, { reset, set }] of Object.entries(delta)) {
      if (reset) this.#sql.exec('delete from partitions where stream = ? and list = ?', key, list)
      for (const [partition, entry] of set) {
        this.#sql.exec(
          'insert or replace into partitions (stream, list, key, entry) values (?, ?, ?, ?)',
          ...[key, list, partition, exactJson(entry) ?? 'null'],
        )
      }
    }
  }

  dropPartitions(key: StreamKey): void {
    this.#sql.exec('delete from partitions where stream = ?', key)
  }

  /** Up to `limit` entries past `after`, as a delta to nothing. */
  partitions(key: StreamKey, limit: number, after = '["",""]'): PartitionPageOf {
    const [list, partition] = JSON.parse(after) as [string, string]
    const rows = this.#sql
      .exec(
        `select list, key, entry from partitions where stream = ? and (list, key) > (?, ?)
         order by list, key limit ?`,
        ...[key, list, partition, limit],
      )
      .toArray()
    const delta: PartitionDelta = {}
    for (const row of rows) {
      const entry = parseExactIntegers(String(row.entry)) as PartitionState
      const held = delta[String(row.list)] ?? { set: [] }
      delta[String(row.list)] = held
      held.set.push([String(row.key), entry])
    }
    const last = rows.length === limit ? rows.at(-1) : undefined
    return { delta, ...(last ? { next: JSON.stringify([last.list, last.key]) } : {}) }
  }

  countPartitions(key: StreamKey): number {
    const query = 'select count(*) as n from partitions where stream = ?'
    return Number(this.#sql.exec(query, key).one().n)
  }

  #hasPartitions(key: StreamKey): boolean {
    const query = 'select 1 from partitions where stream = ? limit 1'
    return this.#sql.exec(query, key).toArray().length > 0
  }

  /** The state without its lists, which become rows in place of those there are. */
  #takePartitions(key: StreamKey, state: StreamState): StreamState {
    const { header, lists } = splitState(state, { anyList: true })
    this.dropPartitions(key)
    this.applyDelta(key, diffLists(new Map(), lists) ?? {})
    return header
  }

  /** Opens a new generation that goes on from where the stream stands: rows beside the others are told apart. */
  stepGeneration(key: StreamKey): void {
    const row = this.stream(key)
    const generation = row.generation + 1
    this.saveStream({ ...row, generation, rows: 0, rowHash: NO_ROWS, settled: null })
  }

  /** What the backfill of a range starts with: nothing, in the stream's newest generation, beside all older rows. */
  backfillInputOf(config: StreamConfig, range: FieldRange): SyncStreamInput {
    return { ...this.#besideOf(config), config: { ...config, syncMode: 'full_refresh' }, range }
  }

  #besideOf(config: StreamConfig): SyncStreamInput {
    const { generation, columns } = this.stream(streamKey(config))
    return {
      config,
      ...{ state: null, hasPartitions: false, lastChunk: null },
      ...{ generationId: generation, minimumGenerationId: 0 },
      ...{ generationRows: 0, generationHash: NO_ROWS, knownColumns: columns },
      ...{ previousRows: 0, quietAfter: null },
    }
  }

  /** What it takes to load rejected rows beside those of the stream's other generations. */
  replayInputOf(config: StreamConfig, syncId: number): SyncStreamInput {
    const destinationSyncMode = isDedup(config.destinationSyncMode)
      ? ('append_dedup' as const)
      : ('append' as const)
    return { ...this.#besideOf({ ...config, destinationSyncMode }), replay: { syncId } }
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
      ...{ state: row.state, hasPartitions: this.#hasPartitions(key), lastChunk: row.lastChunk },
      generationId: row.generation,
      minimumGenerationId: replaces ? row.generation : row.minimumGeneration,
      generationRows: row.rows,
      generationHash: row.rowHash,
      knownColumns: row.columns,
      ...restsOn(row),
      ...(row.settled !== null && { settled: row.settled }),
      previousRows: row.previousRows,
      quietAfter: quietAfter(row),
    }
  }

  /** Keeps what a sync left behind, unless the stream was refreshed meanwhile. */
  keepOutcome(outcome: StreamOutcome, endedAt: number): void {
    const row = this.stream(outcome.key)
    if (row.generation !== outcome.generationId) return
    if (isUnchanged(row, outcome)) return
    if (outcome.state === null) this.dropPartitions(outcome.key)
    const moved = outcome.rowsInGeneration > row.rows
    const gap = moved && row.lastRowsAt !== null ? endedAt - row.lastRowsAt : 0
    this.saveStream({
      ...row,
      ...(moved ? { lastRowsAt: endedAt, activeSyncs: row.activeSyncs + 1 } : {}),
      longestGapMs: Math.max(row.longestGapMs, gap),
      ...{ state: outcome.state, lastChunk: outcome.lastChunk },
      complete: outcome.generationComplete,
      rows: outcome.rowsInGeneration,
      rowHash: outcome.rowHashInGeneration,
      columns: outcome.columns ?? row.columns,
      settled: outcome.settled,
      basis: outcome.basis ?? row.basis,
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

/** A stream that is read from the start rests on nothing that is there. */
export const restsOn = ({ state, basis }: StreamRow): { basis?: RowBasis } =>
  state !== null && basis ? { basis } : {}

/** Whether a sync left the stream as it found it: of thousands of streams most are. */
const isUnchanged = (row: StreamRow, outcome: StreamOutcome) =>
  outcome.columns === undefined &&
  outcome.basis === undefined &&
  outcome.settled === row.settled &&
  outcome.generationComplete === row.complete &&
  outcome.rowsInGeneration === row.rows &&
  outcome.lastChunk === row.lastChunk &&
  exactJson(outcome.state) === exactJson(row.state)

/** Some of a stream's partitions, and where the others begin. */
export interface PartitionPageOf {
  delta: PartitionDelta
  next?: string
}

export interface RunningSync {
  syncId: number
  accepted: boolean
  trigger: 'manual' | 'schedule'
  streams?: StreamKey[]
  acceptEmpty: boolean
  /** Its stream's generation was opened when the sync was taken on. */
  backfill?: { key: StreamKey; range: FieldRange }
  /** The generations of `streams` were opened when the sync was taken on. */
  replay?: { syncId: number }
}

/** The streams to which a sync adds rows without moving them from where they stand. */
export const besides = ({ backfill, replay, streams = [] }: RunningSync): StreamKey[] =>
  backfill ? [backfill.key] : replay ? streams : []

const UNREAD: Omit<StreamRow, 'key'> = {
  state: null,
  lastChunk: null,
  generation: 0,
  opened: 0,
  minimumGeneration: 0,
  complete: true,
  rows: 0,
  rowHash: NO_ROWS,
  columns: [],
  previousRows: 0,
  lastRowsAt: null,
  longestGapMs: 0,
  activeSyncs: 0,
  settled: null,
  basis: null,
}

/** Syncs with rows that a stream needs before its silence means anything. */
const ENOUGH_HISTORY = 3
/** Silence this many times as long as ever before is worth a word. */
const QUIET_FACTOR = 3

/** From when on a stream without new rows is quieter than its history predicts; null: too little history. */
function quietAfter({ activeSyncs, lastRowsAt, longestGapMs }: StreamRow): number | null {
  if (activeSyncs < ENOUGH_HISTORY || lastRowsAt === null) return null
  return lastRowsAt + QUIET_FACTOR * longestGapMs
}

const toStream = (row: Record<string, SqlStorageValue>): StreamRow => ({
  key: String(row.key),
  state: row.state === null ? null : (parseExactIntegers(String(row.state)) as StreamState),
  lastChunk: row.last_chunk === null ? null : String(row.last_chunk),
  generation: Number(row.generation),
  opened: Number(row.opened),
  minimumGeneration: Number(row.minimum_generation),
  complete: row.complete === 1,
  rows: Number(row.rows),
  rowHash: String(row.row_hash),
  columns: JSON.parse(String(row.columns)),
  previousRows: Number(row.previous_rows),
  lastRowsAt: row.last_rows_at === null ? null : Number(row.last_rows_at),
  longestGapMs: Number(row.longest_gap),
  activeSyncs: Number(row.active_syncs),
  settled: row.settled === null ? null : String(row.settled),
  basis: row.basis === null ? null : JSON.parse(String(row.basis)),
})
