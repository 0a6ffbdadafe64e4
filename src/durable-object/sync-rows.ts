/** The rows that a sync's object keeps. */
import type {
  PlannedStream,
  StagedChunk,
  SyncInput,
  SyncStreamInput,
} from '../core/sync-engine/types.ts'
import type { ErrorCode, ErrorRecord, StreamKey, StreamState } from '../protocol/index.ts'
import { exactJson, parseExactIntegers } from '../runtime/exact-json.ts'
import type { LogReport, SyncStatus } from './rpc.ts'

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
  // A sync of thousands of streams looks through the small rows, and at the large ones by key.
  `create table plans (stream text primary key, input text not null, planned text);
  insert into plans select key, input, planned from streams;
  alter table streams drop column input;
  alter table streams drop column planned;
  create table known_tables (ord integer primary key, body text not null);
  create table warnings (seq integer primary key autoincrement, body text not null);
  create index streams_by_status on streams (status);
  create index dirty_streams on streams (ord) where dirty = 1;
  create index tasks_by_wake_up on tasks (status, kind, woken_at, not_before);
  create index tasks_by_moment on tasks (status, not_before);`,
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
  /** When its wake-up was sent; 0: none is on its way. */
  woken_at: number
  /** Why the task may not go on before `not_before`, where its source or destination said so. */
  wait_reason: string | null
  /** Of the failure after which it is tried again then. */
  wait_code: ErrorCode | null
}

export interface StreamRow {
  key: StreamKey
  ord: number
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

/** What a stream is to do. Large, and seldom looked at. */
export interface StreamPlanRow {
  input: SyncStreamInput
  planned: PlannedStream | null
}

export interface SyncRow {
  /** Without what there is one of for each stream. */
  input: SyncInput
  status: SyncStatus
  startedAt: number
  updatedAt: number
  endedAt?: number
  cancelled: boolean
  claims: number
  /** How the source's log stood at the end, if streams were read from one. */
  log?: LogReport
  /** Of the receipt, once it is over. */
  warningCount?: number
  /** The connection and the tenant know how it ended. */
  reported: boolean
}

/** A staged chunk as it is kept: its partitions are deltas. */
export interface StagedReport extends StagedChunk {
  /** The newest delta when it was staged. */
  upTo: number
}

export type Row = Record<string, SqlStorageValue>
export const parse = <T>(text: SqlStorageValue | undefined): T | null =>
  typeof text === 'string' ? (parseExactIntegers(text) as T) : null
/** Positions may hold integers of any size. */
export const print = (value: unknown) => exactJson(value) ?? 'null'

export const COLUMNS = {
  status: 'status',
  readState: 'read_state',
  loadedState: 'loaded_state',
  readComplete: 'read_complete',
  lastChunk: 'last_chunk',
  loadedSeq: 'loaded_seq',
  committedSeq: 'committed_seq',
  rowsRead: 'rows_read',
  rowsLoaded: 'rows_loaded',
  bytes: 'bytes',
  rejected: 'rejected',
  estimatedRows: 'estimated_rows',
  error: 'error',
  dirty: 'dirty',
} as const satisfies Partial<Record<keyof StreamRow, string>>

export function toValue(value: unknown): SqlStorageValue {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'object' && value !== null) return print(value)
  return (value ?? null) as SqlStorageValue
}

export const toStream = (row: Row): StreamRow => ({
  key: String(row.key),
  ord: Number(row.ord),
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
