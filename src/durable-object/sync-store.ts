import type { ConnectionTable } from '../core/sync-engine/connection-tables.ts'
import type { ChunkReport, PlannedStream, SyncStreamInput } from '../core/sync-engine/types.ts'
import type { ErrorRecord, PartitionDelta, StreamKey, StreamState } from '../protocol/index.ts'
import { piecesOf } from './delta-pieces.ts'
import type { LogLine, SyncStatus, Warning } from './rpc.ts'
import {
  COLUMNS,
  parse,
  print,
  type Row,
  type StagedReport,
  type StreamPlanRow,
  type StreamRow,
  type SyncRow,
  toStream,
  toValue,
} from './sync-rows.ts'
import { TaskStore } from './task-store.ts'

const MAX_DELTA_BYTES = 1024 * 1024
/** Of a connection's tables, in a row. */
const TABLES_A_ROW = 1000

/** What went wrong comes first, then what is at work, then what has had rows. */
const URGENCY = `case when error is not null then 1 when status = 'running' then 2
  when rows_read > 0 then 3 when status = 'pending' then 4 else 5 end`

/** The rows of one sync, typed. Every method is synchronous: callers compose them in a transaction. */
export class SyncStore {
  readonly tasks: TaskStore
  readonly #sql: SqlStorage
  readonly #kv: SyncKvStorage

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql
    this.#kv = storage.kv
    this.tasks = new TaskStore(storage.sql)
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
      `insert into streams (key, ord, status, read_state, loaded_state, last_chunk)
       values (?1, ?2, 'pending', ?3, ?3, ?4)`,
      ...[key, ord, input.state ? print(input.state) : null, input.lastChunk],
    )
    this.#sql.exec('insert into plans (stream, input) values (?, ?)', key, print(input))
  }

  dropStreams(): void {
    this.#sql.exec('delete from streams')
    this.#sql.exec('delete from plans')
  }

  streams(): StreamRow[] {
    return this.#sql.exec('select * from streams order by ord').toArray().map(toStream)
  }

  stream(key: StreamKey): StreamRow {
    return toStream(this.#sql.exec('select * from streams where key = ?', key).one())
  }

  /** So many streams in the order of the plan, or, if there are more, those that a reader looks for. */
  streamsToShow(limit: number): StreamRow[] {
    const query = `select * from streams
      order by iif((select count(*) from streams) <= ?1, 0, ${URGENCY}), ord limit ?1`
    return this.#sql.exec(query, limit).toArray().map(toStream)
  }

  /** How many streams have which status. */
  streamCounts(): Partial<Record<SyncStatus, number>> {
    const rows = this.#sql.exec('select status, count(*) as n from streams group by status')
    return Object.fromEntries(rows.toArray().map(({ status, n }) => [status, Number(n)]))
  }

  streamKeys(limit = -1): StreamKey[] {
    const rows = this.#sql.exec('select key from streams order by ord limit ?', limit)
    return rows.toArray().map(({ key }) => String(key))
  }

  updateStream(key: StreamKey, change: Partial<Omit<StreamRow, 'key' | 'ord'>>): void {
    const values = Object.entries(change).map(
      ([field, value]) => [COLUMNS[field as keyof typeof COLUMNS], toValue(value)] as const,
    )
    if (values.length === 0) return
    const set = values.map(([column]) => `${column} = ?`).join(', ')
    this.#sql.exec(
      `update streams set ${set} where key = ?`,
      ...[...values.map(([, value]) => value), key],
    )
  }

  planOf(key: StreamKey): StreamPlanRow {
    const row = this.#sql.exec('select input, planned from plans where stream = ?', key).one()
    return {
      input: parse<SyncStreamInput>(row.input) as SyncStreamInput,
      planned: parse<PlannedStream>(row.planned),
    }
  }

  savePlanned(key: StreamKey, planned: PlannedStream): void {
    this.#sql.exec('update plans set planned = ? where stream = ?', print(planned), key)
  }

  /** Streams that are planned and not begun. */
  plannedStreams(): StreamKey[] {
    const query = `select key from streams s join plans p on p.stream = s.key
      where s.status = 'pending' and p.planned is not null order by ord`
    return this.#sql
      .exec(query)
      .toArray()
      .map(({ key }) => String(key))
  }

  /** Inputs of the streams from the `after`th on, until they are more than `bytes`. */
  inputs(after: number, bytes: number): { inputs: SyncStreamInput[]; next?: number } {
    const query = `select ord, input from streams s join plans p on p.stream = s.key
      where ord >= ? order by ord`
    const inputs: SyncStreamInput[] = []
    let size = 0
    for (const { ord, input } of this.#sql.exec(query, after)) {
      size += String(input).length
      if (size > bytes && inputs.length > 0) return { inputs, next: Number(ord) }
      inputs.push(parse<SyncStreamInput>(input) as SyncStreamInput)
    }
    return { inputs }
  }

  dirtyStreams(limit: number): StreamRow[] {
    const query = 'select * from streams where dirty = 1 order by ord limit ?'
    return this.#sql.exec(query, limit).toArray().map(toStream)
  }

  /** Streams that are not over yet. */
  hasOpenStreams(): boolean {
    const query = `select 1 from streams where status in ('pending', 'running') limit 1`
    return this.#sql.exec(query).toArray().length > 0
  }

  /** In sum, of all streams. */
  totals(): { rows: number; bytes: number; withRejects: number; error: ErrorRecord | null } {
    const sums = `select coalesce(sum(rows_loaded), 0) as n, coalesce(sum(bytes), 0) as bytes,
      coalesce(sum(rejected > 0), 0) as rejects from streams`
    const { n, bytes, rejects } = this.#sql.exec(sums).one()
    const first = 'select error from streams where error is not null order by ord limit 1'
    const error = parse<ErrorRecord>(this.#sql.exec(first).toArray()[0]?.error)
    return { rows: Number(n), bytes: Number(bytes), withRejects: Number(rejects), error }
  }

  /* what there is one of for each stream, and more: tables of the connection, warnings */

  saveTables(tables: ConnectionTable[]): void {
    for (let at = 0; at < tables.length; at += TABLES_A_ROW) {
      const body = JSON.stringify(tables.slice(at, at + TABLES_A_ROW))
      this.#sql.exec('insert into known_tables (body) values (?)', body)
    }
  }

  tables(): ConnectionTable[] {
    const rows = this.#sql.exec('select body from known_tables order by ord').toArray()
    return rows.flatMap(({ body }) => JSON.parse(String(body)) as ConnectionTable[])
  }

  addWarnings(warnings: Warning[]): void {
    for (const warning of warnings)
      this.#sql.exec('insert into warnings (body) values (?)', JSON.stringify(warning))
  }

  /** @returns false if it is there: a slice that is done again warns again. */
  addWarning(warning: Warning): boolean {
    const body = JSON.stringify(warning)
    const isThere = this.#sql.exec('select 1 from warnings where body = ?', body).toArray().length
    if (!isThere) this.addWarnings([warning])
    return !isThere
  }

  warnings(): Warning[] {
    const rows = this.#sql.exec('select body from warnings order by seq').toArray()
    return rows.map(({ body }) => JSON.parse(String(body)) as Warning)
  }

  countWarnings(): number {
    return Number(this.#sql.exec('select count(*) as n from warnings').one().n)
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

  /* chunks */

  saveChunk(stream: StreamKey, status: 'staged' | 'loaded', report: ChunkReport): void {
    this.#sql.exec(
      `insert into chunks (stream, seq, id, status, report)
       values (?1, (select coalesce(max(seq), 0) + 1 from chunks where stream = ?1), ?2, ?3, ?4)
       on conflict (stream, id) do update set status = excluded.status, report = excluded.report`,
      ...[stream, report.id, status, print(report)],
    )
  }

  hasChunks(stream: StreamKey): boolean {
    const query = 'select 1 from chunks where stream = ? limit 1'
    return this.#sql.exec(query, stream).toArray().length > 0
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
