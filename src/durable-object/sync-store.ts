import type {
  ChunkReport,
  PlannedStream,
  StagedChunk,
  SyncInput,
  SyncStreamInput,
} from '../core/sync-engine/types.ts'
import type {
  ErrorCode,
  ErrorRecord,
  PartitionDelta,
  StreamKey,
  StreamState,
} from '../protocol/index.ts'
import { exactJson, parseExactIntegers } from '../runtime/exact-json.ts'
import { piecesOf } from './delta-pieces.ts'
import type { LogLine, LogReport, SyncStatus, Warning } from './rpc.ts'

export const SYNC_MIGRATIONS = [
  `create table streams (
    key text primary key, ord integer not null, input text not null, planned text,
    status text not null, read_state text, loaded_state text, read_complete integer not null default 0,
    rows_read integer not null default 0, rows_loaded integer not null default 0,
    bytes integer not null default 0, rejected integer not null default 0,
    estimated_rows integer, error text, dirty integer not null default 0);
  create table tasks (
    id text primary key, kind text not null, stream text, status text not null,
    fence integer not null default 0, lease_until integer not null default 0,
    not_before integer not null default 0, attempts integer not null default 0,
    failures integer not null default 0, woken_at integer not null default 0);
  create table chunks (
    stream text not null, seq integer not null, id text not null, status text not null,
    report text not null, primary key (stream, seq));
  create unique index chunk_ids on chunks (stream, id);
  create table outbox (task text primary key);
  create table logs (
    seq integer primary key autoincrement, at integer not null, level text not null,
    stream text, message text not null);`,
  'alter table tasks add column wait_reason text;',
  'alter table streams add column last_chunk text;',
  `alter table streams add column loaded_seq integer not null default 0;
  alter table streams add column committed_seq integer not null default 0;
  create table deltas (
    stream text not null, seq integer not null, chunk text, body text not null,
    primary key (stream, seq)) without rowid;`,
  'alter table tasks add column wait_code text;',
] as const

export type TaskKind = 'plan' | 'read' | 'load' | 'finish'
/** `idle`: nothing to do until something is staged. */
export type TaskStatus = 'ready' | 'claimed' | 'idle' | 'done' | 'failed'

export interface TaskRow {
  id: string
  kind: TaskKind
  stream: StreamKey | null
  status: TaskStatus
  fence: number
  lease_until: number
  not_before: number
  attempts: number
  failures: number
  woken_at: number
  /** Why the task may not go on before `not_before`, where its source or destination said so. */
  wait_reason: string | null
  /** Of the failure after which it is tried again then. */
  wait_code: ErrorCode | null
}

export interface StreamRow {
  key: StreamKey
  ord: number
  input: SyncStreamInput
  planned: PlannedStream | null
  status: SyncStatus
  readState: StreamState | null
  loadedState: StreamState | null
  readComplete: boolean
  /** The newest chunk that the destination has, as far as `loadedState` knows. */
  lastChunk: string | null
  /** The newest delta that belongs to `loadedState`, and the newest that the connection has. */
  loadedSeq: number
  committedSeq: number
  rowsRead: number
  rowsLoaded: number
  bytes: number
  rejected: number
  estimatedRows: number | null
  error: ErrorRecord | null
  dirty: boolean
}

export interface SyncRow {
  input: SyncInput
  status: SyncStatus
  startedAt: number
  updatedAt: number
  endedAt?: number
  cancelled: boolean
  claims: number
  warnings: Warning[]
  /** How the source's log stood at the end, if streams were read from one. */
  log?: LogReport
  /** The connection and the tenant know how it ended. */
  reported: boolean
}

/** A staged chunk as it is kept: its partitions are deltas. */
export interface StagedReport extends StagedChunk {
  /** The newest delta when it was staged. */
  upTo: number
}

const MAX_DELTA_BYTES = 1024 * 1024

type Row = Record<string, SqlStorageValue>
const parse = <T>(text: SqlStorageValue | undefined): T | null =>
  typeof text === 'string' ? (parseExactIntegers(text) as T) : null
/** Positions may hold integers of any size. */
const print = (value: unknown) => exactJson(value) ?? 'null'

/** The rows of one sync, typed. Every method is synchronous: callers compose them in a transaction. */
export class SyncStore {
  readonly #sql: SqlStorage
  readonly #kv: SyncKvStorage

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql
    this.#kv = storage.kv
  }

  sync(): SyncRow | undefined {
    return this.#kv.get<SyncRow>('sync')
  }

  saveSync(row: SyncRow): void {
    this.#kv.put('sync', row)
  }

  /* streams */

  addStream(key: StreamKey, ord: number, input: SyncStreamInput): void {
    this.#sql.exec(
      `insert into streams (key, ord, input, status, read_state, loaded_state, last_chunk)
       values (?1, ?2, ?3, 'pending', ?4, ?4, ?5)`,
      key,
      ord,
      print(input),
      input.state ? print(input.state) : null,
      input.lastChunk,
    )
  }

  streams(): StreamRow[] {
    return this.#sql.exec('select * from streams order by ord').toArray().map(toStream)
  }

  stream(key: StreamKey): StreamRow {
    return toStream(this.#sql.exec('select * from streams where key = ?', key).one())
  }

  updateStream(key: StreamKey, change: Partial<Omit<StreamRow, 'key' | 'ord' | 'input'>>): void {
    const row = { ...this.stream(key), ...change }
    const text = (value: unknown) => (value === null ? null : print(value))
    this.#sql.exec(
      `update streams set planned = ?2, status = ?3, read_state = ?4, loaded_state = ?5,
       read_complete = ?6, rows_read = ?7, rows_loaded = ?8, bytes = ?9, rejected = ?10,
       estimated_rows = ?11, error = ?12, dirty = ?13, last_chunk = ?14,
       loaded_seq = ?15, committed_seq = ?16 where key = ?1`,
      key,
      text(row.planned),
      row.status,
      text(row.readState),
      text(row.loadedState),
      row.readComplete ? 1 : 0,
      row.rowsRead,
      row.rowsLoaded,
      row.bytes,
      row.rejected,
      row.estimatedRows,
      text(row.error),
      row.dirty ? 1 : 0,
      row.lastChunk,
      row.loadedSeq,
      row.committedSeq,
    )
  }

  /** The connection has this state; one that is newer stays to be committed. */
  committed(key: StreamKey, state: StreamState | null, seq: number): void {
    const current = this.stream(key)
    const isNewest = print(current.loadedState) === print(state) && current.loadedSeq === seq
    if (isNewest) this.updateStream(key, { dirty: false })
  }

  /* deltas: what changed in the lists of partitions of a stream's state */

  /** A row holds a megabyte: a larger delta is several that follow each other. */
  addDelta(key: StreamKey, chunk: string | null, delta: PartitionDelta): void {
    for (const piece of piecesOf(delta, MAX_DELTA_BYTES)) {
      this.#sql.exec(
        'insert into deltas (stream, seq, chunk, body) values (?, ?, ?, ?)',
        ...[key, this.lastDelta(key) + 1, chunk, print(piece)],
      )
    }
  }

  /** Number of the newest; 0: there is none. They grow also when older ones are dropped. */
  lastDelta(key: StreamKey): number {
    const query = `select max(coalesce((select max(seq) from deltas where stream = ?1), 0),
      (select committed_seq from streams where key = ?1)) as seq`
    return Number(this.#sql.exec(query, key).one().seq)
  }

  /** Those in `(after, upTo]`, in order, until they are more than `bytes`. */
  deltas(key: StreamKey, after: number, upTo: number, bytes = Number.POSITIVE_INFINITY) {
    const query =
      'select seq, body from deltas where stream = ? and seq > ? and seq <= ? order by seq'
    const found: { seq: number; delta: PartitionDelta }[] = []
    let size = 0
    for (const { seq, body } of this.#sql.exec(query, key, after, upTo)) {
      size += String(body).length
      if (size > bytes && found.length > 0) break
      found.push({ seq: Number(seq), delta: parse<PartitionDelta>(body) as PartitionDelta })
    }
    return found
  }

  deltasOf(key: StreamKey, chunk: string): PartitionDelta[] {
    const query = 'select body from deltas where stream = ? and chunk = ? order by seq'
    return this.#sql
      .exec(query, key, chunk)
      .toArray()
      .map(({ body }) => parse<PartitionDelta>(body) as PartitionDelta)
  }

  /** The connection has these, and gives them out from now on. */
  handOver(key: StreamKey, upTo: number): void {
    this.updateStream(key, { committedSeq: upTo })
    this.#sql.exec('delete from deltas where stream = ? and seq <= ?', key, upTo)
  }

  /* tasks */

  addTask(id: string, kind: TaskKind, stream: StreamKey | null): void {
    this.#sql.exec(
      `insert into tasks (id, kind, stream, status) values (?, ?, ?, 'ready')
       on conflict (id) do nothing`,
      id,
      kind,
      stream,
    )
  }

  task(id: string): TaskRow | undefined {
    return this.#sql.exec('select * from tasks where id = ?', id).toArray()[0] as
      | TaskRow
      | undefined
  }

  tasks(): TaskRow[] {
    return this.#sql.exec('select * from tasks').toArray() as unknown as TaskRow[]
  }

  updateTask(id: string, change: Partial<TaskRow>): void {
    const row = this.task(id)
    if (!row) return
    const next = { ...row, ...change }
    this.#sql.exec(
      `update tasks set status = ?2, fence = ?3, lease_until = ?4, not_before = ?5,
       attempts = ?6, failures = ?7, woken_at = ?8, wait_reason = ?9, wait_code = ?10
       where id = ?1`,
      ...[id, next.status, next.fence, next.lease_until, next.not_before],
      ...[next.attempts, next.failures, next.woken_at, next.wait_reason, next.wait_code],
    )
  }

  /* the outbox: tasks whose wake-up has not been sent yet */

  post(taskId: string): void {
    this.#sql.exec('insert into outbox values (?) on conflict do nothing', taskId)
  }

  outbox(): string[] {
    return this.#sql
      .exec('select task from outbox')
      .toArray()
      .map((row) => String(row.task))
  }

  unpost(taskId: string): void {
    this.#sql.exec('delete from outbox where task = ?', taskId)
  }

  /* chunks */

  saveChunk(stream: StreamKey, status: 'staged' | 'loaded', report: ChunkReport): void {
    this.#sql.exec(
      `insert into chunks (stream, seq, id, status, report)
       values (?1, (select coalesce(max(seq), 0) + 1 from chunks where stream = ?1), ?2, ?3, ?4)
       on conflict (stream, id) do update set status = excluded.status, report = excluded.report`,
      ...[stream, report.id, status, print(report)],
    )
  }

  hasChunk(stream: StreamKey, id: string, status: 'staged' | 'loaded'): boolean {
    const query = 'select 1 from chunks where stream = ? and id = ? and status = ?'
    return this.#sql.exec(query, stream, id, status).toArray().length > 0
  }

  nextStaged(stream: StreamKey): StagedReport | null {
    const query = `select report from chunks where stream = ? and status = 'staged' order by seq limit 1`
    return parse<StagedReport>(this.#sql.exec(query, stream).toArray()[0]?.report)
  }

  chunks(stream: StreamKey, status?: 'staged' | 'loaded'): ChunkReport[] {
    const rows = this.#sql.exec(
      `select report from chunks where stream = ?1 and (?2 is null or status = ?2) order by seq`,
      ...[stream, status ?? null],
    )
    return rows.toArray().map((row) => parse<ChunkReport>(row.report) as ChunkReport)
  }

  /* logs */

  addLog(line: Omit<LogLine, 'seq'>): void {
    this.#sql.exec(
      'insert into logs (at, level, stream, message) values (?, ?, ?, ?)',
      ...[line.at, line.level, line.stream ?? null, line.message.slice(0, 4000)],
    )
    this.#sql.exec('delete from logs where seq <= (select max(seq) from logs) - ?', MAX_LOG_LINES)
  }

  logs(after: number, limit: number, levels: string[]): LogLine[] {
    const marks = levels.map(() => '?').join(', ')
    const rows = this.#sql.exec(
      `select * from logs where seq > ? and level in (${marks}) order by seq limit ?`,
      ...[after, ...levels, limit],
    )
    return rows.toArray().map((row: Row) => ({
      seq: Number(row.seq),
      at: Number(row.at),
      level: row.level as LogLine['level'],
      ...(row.stream === null ? {} : { stream: String(row.stream) }),
      message: String(row.message),
    }))
  }
}

/** Older lines of a sync's log go. */
export const MAX_LOG_LINES = 5000

const toStream = (row: Row): StreamRow => ({
  key: String(row.key),
  ord: Number(row.ord),
  input: parse<SyncStreamInput>(row.input) as SyncStreamInput,
  planned: parse<PlannedStream>(row.planned),
  status: row.status as SyncStatus,
  readState: parse<StreamState>(row.read_state),
  loadedState: parse<StreamState>(row.loaded_state),
  readComplete: row.read_complete === 1,
  lastChunk: row.last_chunk === null ? null : String(row.last_chunk),
  loadedSeq: Number(row.loaded_seq),
  committedSeq: Number(row.committed_seq),
  rowsRead: Number(row.rows_read),
  rowsLoaded: Number(row.rows_loaded),
  bytes: Number(row.bytes),
  rejected: Number(row.rejected),
  estimatedRows: row.estimated_rows === null ? null : Number(row.estimated_rows),
  error: parse<ErrorRecord>(row.error),
  dirty: row.dirty === 1,
})
