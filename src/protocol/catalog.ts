import type { JsonSchema, JsonValue } from './json.ts'

export type SyncMode = 'full_refresh' | 'incremental'
/** Airbyte's destination modes; `overwrite_dedup` is full refresh, overwrite + deduped. */
export type DestinationSyncMode = 'append' | 'overwrite' | 'append_dedup' | 'overwrite_dedup'

/** Whether rows are merged by their key. */
export const isDedup = (mode: DestinationSyncMode): boolean => mode.endsWith('dedup')

export interface StreamDescriptor {
  name: string
  namespace?: string
}

/** `namespace.name`, with dots and backslashes inside either part escaped by a backslash. */
export type StreamKey = string

export function streamKey({ name, namespace }: StreamDescriptor): StreamKey {
  return namespace === undefined ? escapePart(name) : `${escapePart(namespace)}.${escapePart(name)}`
}

export function parseStreamKey(key: StreamKey): StreamDescriptor {
  const parts = key.match(/(?:\\.|[^\\.])+/gs) ?? ['']
  const [first = '', second] = parts.map((part) => part.replaceAll(/\\(.)/gs, '$1'))
  return second === undefined ? { name: first } : { namespace: first, name: second }
}

const escapePart = (part: string) => part.replaceAll(/[\\.]/g, '\\$&')

/** What an incremental read of a stream can see. */
export interface Captures {
  creates: boolean
  updates: boolean
  deletes: boolean
  /**
   * Cursors that may be null: rows without a value that come after the first sync are read where they
   * are merged, and not where they are appended. Absent: there is none.
   */
  nullCursors?: string[]
}

export interface AirbyteStream extends StreamDescriptor {
  json_schema: JsonSchema
  supported_sync_modes: SyncMode[]
  source_defined_cursor?: boolean
  /** A path. */
  default_cursor_field?: string[]
  /** A list of paths. */
  source_defined_primary_key?: string[][]
  is_resumable?: boolean
  is_file_based?: boolean
  /** Ours: what an incremental read captures; plans and catalogs show it. */
  captures?: Captures
  /** Ours: rows, as the source estimates them. */
  estimated_rows?: number
  /** Ours: of top-level fields, `table/column`: another one that is given a name later has another. */
  column_ids?: Record<string, string>
}

export interface AirbyteCatalog {
  streams: AirbyteStream[]
}

/**
 * Rows whose field lies in `[from, to)`; a missing end is open. Values are text in the field's type.
 * Rows without a value are in no range.
 */
export interface FieldRange {
  field: string
  from?: string
  to?: string
}

/** A stream as a sync reads it: the plan's frozen part for the source. */
export interface ConfiguredStream {
  stream: AirbyteStream
  syncMode: SyncMode
  destinationSyncMode: DestinationSyncMode
  cursorField: string[]
  primaryKey: string[][]
  generationId: number
  minimumGenerationId: number
  syncId: number
  /** Top-level fields to read; absent: all. */
  selectedFields?: string[]
  /**
   * Every field that a record has, known to the schema or not, as it came: columns of type `unknown`,
   * which may differ from batch to batch. Only for sources whose `capabilities.wholeRecords` is true.
   */
  wholeRecords?: boolean
  /** Seconds that an incremental read goes back, for rows that commit late. */
  lookbackSeconds?: number
  /** What `Source.freeze` returned for this stream: reading never goes beyond it. */
  upperBound?: JsonValue
  /** A full refresh of these rows only; given just to sources whose `capabilities.ranges` is true. */
  range?: FieldRange
  /**
   * Files that records stand for are stored in the workspace's warehouse under this prefix, and each
   * record says where in its field `file_reference`. Absent: no file is downloaded. Only for streams
   * that are `is_file_based`.
   */
  files?: { prefix: string }
  /** The destination takes values as `UNCHANGED` that a change did not touch. Absent: they must be there. */
  keepsUnchanged?: boolean
  /** The form in which the engine wants the rows; one of the source's `formats`. */
  format: BatchFormat
}

/** `records` are column batches; the others are bytes that a destination takes as they are. */
export type BatchFormat = 'records' | WireFormat
export type WireFormat = 'pg-copy-text' | 'csv' | 'jsonl' | 'parquet'

/** The field by which a record says where its file is: key in the warehouse, path at the source, size. */
export const FILE_REFERENCE = 'file_reference'

/** A stream whose records say where their files are. */
export function withFileReference(stream: AirbyteStream): AirbyteStream {
  const properties = {
    ...(stream.json_schema.properties as JsonSchema | undefined),
    [FILE_REFERENCE]: {
      type: ['null', 'object'],
      properties: {
        staging_file_url: { type: 'string' },
        source_file_relative_path: { type: 'string' },
        file_size_bytes: { type: 'integer' },
      },
    },
  }
  return { ...stream, json_schema: { ...stream.json_schema, properties } }
}
