import {
  AirbyteError,
  type Column,
  type DestinationSyncMode,
  type StreamDescriptor,
} from '../../../src/protocol/index.ts'
import type {
  ChildTable,
  ChunkEnd,
  ObjectStore,
  StreamPlan,
} from '../../../src/runtime/contract.ts'
import { exactJson, parseExactIntegers } from '../../../src/runtime/exact-json.ts'

export type FileFormat = 'Parquet' | 'JSONL' | 'CSV'

/**
 * `_current.json`: the one object of a stream that is ever replaced, always by a write conditional
 * on its etag. It says what readers see and where the loader stands, so that committing a chunk,
 * taking a fence and swapping generations are each one atomic write.
 */
export interface CurrentDocument {
  version: 1
  stream: StreamDescriptor
  /** The connection that owns the target; another one takes over by `prepare`. */
  connectionId: string
  /** The highest fence seen from that connection. */
  fence: number
  mode: DestinationSyncMode
  primaryKey: string[][]
  /** Columns that make up the key and order its versions, named as in `columns`; for dedup modes. */
  latestBy: { keys: string[]; cursor: string | null }
  /** The plan's columns at the last `prepare`; files of older chunks may have fewer. */
  columns: Column[]
  /** Tables of arrays, columns named as in the files. Those that the plan no longer has come last. */
  children?: ChildTable[]
  /** What readers see: these ledgers' files, in this order. */
  visible: Ledger[]
  /** A generation that is being filled beside them. */
  building: Ledger | null
  /** Replaced by the last swap; kept for readers that still hold the old list of files. */
  retired: Ledger[]
}

/**
 * The committed chunks of one generation. `entries` holds the newest; older ones are sealed into
 * `_ledger/<generation>-<epoch>/<segment>.json`, which never change.
 */
export interface Ledger {
  connectionId: string
  generation: number
  /** Fence under which the ledger began: tells it from one of the same number that was aborted. */
  epoch: number
  segments: number
  /** Chunks committed so far; the next one's `seq`. */
  chunks: number
  files: number
  rows: number
  bytes: number
  entries: LedgerEntry[]
}

export interface LedgerEntry {
  seq: number
  chunk: string
  /** Key of the data object; null for a chunk without rows. */
  file: string | null
  rows: number
  bytes: number
  /** Files of tables of arrays, of those that have rows. */
  children?: ChildFile[]
  /** How many of the rows are deletes. */
  deletes: number
  /** How many of those have no cursor. Absent in older entries: all of them. */
  unplaced?: number
  /** How many of the deletes are truncates. Absent: none. */
  truncates?: number
  /** Columns that some of the rows left out because the change did not touch them. Absent: none. */
  unchanged?: string[]
  /** Smallest and largest extraction time in the file, epoch milliseconds. */
  extracted: [number, number] | null
  fence: number
  syncId: number
  end: ChunkEnd
}

export interface ChildFile {
  table: string
  file: string
  rows: number
  bytes: number
}

/** Stands in the place of `_current.json` where a table is that of an array: the stream's has it all. */
export interface ChildDocument {
  version: 1
  childOf: StreamPlan['target']
  connectionId: string
}

/** Whether the file is in commit order, with deletes that say no more than that. */
export const isUnplaced = ({ deletes, unplaced }: Pick<LedgerEntry, 'deletes' | 'unplaced'>) =>
  (unplaced ?? deletes) > 0

export interface Versioned {
  document: CurrentDocument
  etag: string
}

/** The document as it stands, or null where the stream was never written. */
export async function readCurrent(store: ObjectStore, key: string): Promise<Versioned | null> {
  const found = await readTarget(store, key)
  if (!found || !('childOf' in found.document)) return found as Versioned | null
  const { table } = found.document.childOf
  throw new AirbyteError('TABLE_TAKEN', `${key} belongs to an array of the stream '${table}'.`, {
    hint: 'Give this connection its own namespace or prefix.',
  })
}

/** The same of a target that may be the table of an array. */
export async function readTarget(
  store: ObjectStore,
  key: string,
): Promise<{ document: CurrentDocument | ChildDocument; etag: string } | null> {
  const found = await store.get(key)
  if (!found) return null
  const document = parseExactIntegers(await new Response(found.body).text()) as CurrentDocument
  if (document.version !== 1) {
    throw new AirbyteError(
      'STATE_INVALID',
      `${key} has version ${document.version}; this version of the destination reads 1.`,
    )
  }
  return { document, etag: found.etag }
}

/** Writes over the version that was read; false if someone else wrote in between. */
export async function writeCurrent(
  store: ObjectStore,
  key: string,
  document: CurrentDocument,
  over: Versioned | null,
): Promise<boolean> {
  const condition = over ? { etag: over.etag } : ({ absent: true } as const)
  return (await store.put(key, exactJson(document) ?? '', condition)) !== null
}
