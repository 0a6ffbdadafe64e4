import {
  type AirbyteCatalog,
  AirbyteError,
  type AirbyteStream,
  type ConfiguredStream,
  type DestinationSyncMode,
  isObject,
  type JsonObject,
  type SyncMode,
} from '../../protocol/index.ts'

/** A catalog as the protocol has it: without what is ours alone. */
export function toAirbyteCatalog({ streams }: AirbyteCatalog): JsonObject {
  return {
    streams: streams.map(({ captures: _, estimated_rows: __, column_ids: ___, ...stream }) => ({
      ...stream,
      is_resumable: stream.is_resumable ?? false,
      is_file_based: stream.is_file_based ?? false,
    })),
  } as unknown as JsonObject
}

/**
 * The streams of a ConfiguredAirbyteCatalog.
 *
 * @throws VALIDATION_FAILED naming the entry
 */
export function fromConfiguredCatalog(catalog: JsonObject, path: string): ConfiguredStream[] {
  const { streams } = catalog
  if (!Array.isArray(streams)) throw invalid(`${path} has no list 'streams'.`)
  return streams.map((entry, index) => configured(entry, `${path}: streams[${index}]`))
}

function configured(entry: unknown, where: string): ConfiguredStream {
  if (!isObject(entry)) throw invalid(`${where} is not an object.`)
  const { stream } = entry
  if (!isObject(stream) || typeof stream.name !== 'string') {
    const hint = 'A configured catalog has {stream, sync_mode, destination_sync_mode} per stream.'
    throw invalid(`${where} has no 'stream' with a name.`, hint)
  }
  const generationId = Number(entry.generation_id ?? 0)
  const minimumGenerationId = Number(entry.minimum_generation_id ?? 0)
  return {
    stream: { supported_sync_modes: ['full_refresh'], json_schema: {}, ...streamOf(stream) },
    syncMode: oneOf(entry.sync_mode, SYNC_MODES, 'full_refresh', `${where}.sync_mode`),
    destinationSyncMode: destinationMode(entry, where),
    cursorField: pathOf(entry.cursor_field ?? stream.default_cursor_field),
    primaryKey: keyOf(entry.primary_key ?? stream.source_defined_primary_key),
    generationId,
    minimumGenerationId,
    syncId: Number(entry.sync_id ?? 0),
    format: 'records',
  }
}

/** Unknown properties are tolerated, null means absent. */
const streamOf = (stream: JsonObject) =>
  Object.fromEntries(
    Object.entries(stream).filter(([, value]) => value !== null),
  ) as unknown as Partial<AirbyteStream> & { name: string }

const SYNC_MODES: SyncMode[] = ['full_refresh', 'incremental']
const DESTINATION_MODES = ['append', 'overwrite', 'append_dedup']

/** A full refresh that dedups is `append_dedup` with the generation as the minimum. */
function destinationMode(entry: JsonObject, where: string): DestinationSyncMode {
  const { destination_sync_mode: mode, generation_id, minimum_generation_id } = entry
  const known = oneOf(mode, DESTINATION_MODES, 'append', `${where}.destination_sync_mode`)
  const isNew = Number(minimum_generation_id ?? 0) > 0 && minimum_generation_id === generation_id
  return known === 'append_dedup' && isNew ? 'overwrite_dedup' : (known as DestinationSyncMode)
}

function oneOf<T extends string>(value: unknown, known: T[], byDefault: T, where: string): T {
  if (value === undefined || value === null) return byDefault
  if (known.includes(value as T)) return value as T
  throw invalid(`${where} is '${value}'; one of ${known.join(', ')} is expected.`)
}

const pathOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
const keyOf = (value: unknown): string[][] => (Array.isArray(value) ? value.map(pathOf) : [])

const invalid = (message: string, hint?: string) =>
  new AirbyteError('VALIDATION_FAILED', message, { hint })
