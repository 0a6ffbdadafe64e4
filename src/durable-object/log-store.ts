import type { PartOfSegment } from '../cdc/segment.ts'
import type { ErrorRecord, JsonObject, StreamKey } from '../protocol/index.ts'
import type { LogEnd, LogPart, LogPlace, LogStream } from '../runtime/source-log.ts'
import { LargeValue, largeValueTable } from './large-value.ts'
import type { LoadedOfLog } from './rpc.ts'

export const LOG_MIGRATIONS = [
  `create table streams (stream text primary key, input text not null, loaded integer not null);
  create table segments (
    seq integer primary key, key text not null, bytes integer not null, position text not null,
    staged_at integer not null);
  create table parts (
    stream text not null, seq integer not null, offset integer not null, length integer not null,
    rows integer not null, primary key (stream, seq));
  create index parts_of_segment on parts (seq);`,
  largeValueTable('setup'),
] as const

/** The log that is read, as its reader keeps it. */
export interface LogRow {
  /** Another log has another id: segments of one mean nothing in another. */
  id: string
  tenantId: string
  sourceId: string
  /** The connection that it is read for: a log has one. */
  connectionId: string
  place: LogPlace
  /** The newest segment there ever was; 0 before the first. */
  lastSegment: number
  /** It is drained until then, epoch milliseconds. */
  heldUntil: number
  /** Between syncs too: there is a schedule that waits for changes. Every sync begins without it. */
  followed?: boolean
  /** Everything up to here is loaded by every stream; absent: by none, as far as is known. */
  loadedTo?: JsonObject
  /** What stopped the reader. */
  problem?: ErrorRecord
  /** The connection is gone since then; what was set up for it at the database could not be removed. */
  releasedAt?: number
}

/** Parts that one answer names at most. */
const PARTS = 32
/** What is written at every checkpoint: the setup is kept apart, and this says which. */
type KeptRow = Omit<LogRow, 'place'> & { place: Omit<LogPlace, 'setup'>; setup: string }

/** The rows of one log, typed. Every method is synchronous: callers compose them in a transaction. */
export class LogStore {
  readonly #sql: SqlStorage
  readonly #kv: SyncKvStorage
  /** It names every table of a database. */
  readonly #setup: LargeValue<JsonObject>

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql
    this.#kv = storage.kv
    this.#setup = new LargeValue(storage.sql, 'setup')
  }

  log(): LogRow | undefined {
    const kept = this.#kv.get<KeptRow | LogRow>('log')
    if (!kept || !('setup' in kept)) return kept as LogRow | undefined
    const { setup, place, ...row } = kept
    return { ...row, place: { ...place, setup: this.#setup.of(setup) } }
  }

  save({ place: { setup, ...place }, ...row }: LogRow): void {
    const kept = this.#kv.get<Partial<KeptRow>>('log')
    const version = this.#setup.save(setup, kept?.setup)
    this.#kv.put('log', { ...row, place, setup: version } satisfies KeptRow)
  }

  end(): LogEnd {
    const log = this.#kv.get<KeptRow>('log')
    return { segment: log?.lastSegment ?? 0, position: log?.place.position ?? {} }
  }

  streams(): { stream: StreamKey; input: LogStream; loaded: number }[] {
    const rows = this.#sql.exec('select * from streams order by stream').toArray()
    return rows.map((row) => ({
      stream: String(row.stream),
      input: JSON.parse(String(row.input)) as LogStream,
      loaded: Number(row.loaded),
    }))
  }

  saveStream(stream: StreamKey, input: LogStream, loaded: number): void {
    const text = JSON.stringify(input)
    // Of thousands of streams most are as they were: those are not written again.
    this.#sql.exec(
      `insert into streams values (?, ?, ?) on conflict (stream) do update
       set input = excluded.input, loaded = excluded.loaded
       where input <> excluded.input or loaded <> excluded.loaded`,
      ...[stream, text, loaded],
    )
  }

  /** The destination has these streams' changes up to these segments, those of the log `id`. */
  keepLoaded(id: string, loaded: LoadedOfLog[]): void {
    const query = 'update streams set loaded = ?2 where stream = ?1 and loaded < ?2'
    for (const { stream, log, segment } of loaded) {
      if (log === id) this.#sql.exec(query, stream, segment)
    }
    this.#noteLoaded()
  }

  /** Before segments are forgotten: the one before the first that somebody needs says how far it is. */
  #noteLoaded(): void {
    const log = this.log()
    if (!log) return
    const before = `(select min(p.seq) from parts p join streams s on s.stream = p.stream
      where p.seq > s.loaded)`
    const query = `select position from segments where seq < ${before} order by seq desc limit 1`
    const [row] = this.#sql.exec(query).toArray()
    const known = row ? (JSON.parse(String(row.position)) as JsonObject) : log.loadedTo
    const loadedTo = this.hasUnloaded() ? known : log.place.position
    this.save({ ...log, ...(loadedTo && { loadedTo }) })
  }

  forgetStream(stream: StreamKey): void {
    this.#sql.exec('delete from streams where stream = ?', stream)
    this.#sql.exec('delete from parts where stream = ?', stream)
  }

  /** Moves the position, past a segment if there is one. */
  enter(
    position: JsonObject,
    segment: { key: string; bytes: number; parts: PartOfSegment[] } | undefined,
    now: number,
  ): void {
    const log = this.log()
    if (!log) return
    const seq = log.lastSegment + (segment ? 1 : 0)
    const nothingElse = !segment && !this.hasUnloaded()
    const moved = { place: { ...log.place, position }, lastSegment: seq }
    this.save({ ...log, ...moved, ...(nothingElse && { loadedTo: position }) })
    if (!segment) return
    const { key, bytes, parts } = segment
    const text = JSON.stringify(position)
    this.#sql.exec('insert into segments values (?, ?, ?, ?, ?)', seq, key, bytes, text, now)
    for (const { stream, offset, length, rows } of parts) {
      const insert = 'insert into parts values (?, ?, ?, ?, ?)'
      this.#sql.exec(insert, stream, seq, offset, length, rows)
    }
  }

  partsAfter(stream: StreamKey, segment: number): LogPart[] {
    const rows = this.#sql.exec(
      `select p.seq, p.offset, p.length, p.rows, s.key, s.position
       from parts p join segments s on s.seq = p.seq
       where p.stream = ? and p.seq > ? order by p.seq limit ?`,
      ...[stream, segment, PARTS],
    )
    return rows.toArray().map((row) => ({
      segment: Number(row.seq),
      position: JSON.parse(String(row.position)) as JsonObject,
      key: String(row.key),
      offset: Number(row.offset),
      length: Number(row.length),
      rows: Number(row.rows),
    }))
  }

  stagedBytes(): number {
    const [row] = this.#sql.exec('select sum(bytes) as bytes from segments').toArray()
    return Number(row?.bytes ?? 0)
  }

  /** Streams that have something to load. */
  unloadedStreams(): StreamKey[] {
    const query = `select distinct p.stream from parts p join streams s on s.stream = p.stream
      where p.seq > s.loaded`
    return this.#sql
      .exec(query)
      .toArray()
      .map(({ stream }) => String(stream))
  }

  /** Whether a stream has something to load. */
  hasUnloaded(): boolean {
    const query = `select 1 from parts p join streams s on s.stream = p.stream
      where p.seq > s.loaded limit 1`
    return this.#sql.exec(query).toArray().length > 0
  }

  /** Forgets what every stream has loaded; returns the keys of segments that nobody needs any more. */
  prune(): string[] {
    this.#sql.exec(
      `delete from parts where seq <= coalesce((select loaded from streams s where s.stream = parts.stream), seq)`,
    )
    const unused = 'from segments where seq not in (select seq from parts)'
    const keys = this.#sql.exec(`select key ${unused}`).toArray()
    this.#sql.exec(`delete ${unused}`)
    return keys.map((row) => String(row.key))
  }

  /** Forgets every segment: their log is gone. */
  clear(): void {
    this.#sql.exec('delete from parts')
    this.#sql.exec('delete from segments')
  }

  hasSegment(key: string): boolean {
    return this.#sql.exec('select 1 from segments where key = ?', key).toArray().length > 0
  }
}
