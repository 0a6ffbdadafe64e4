import { nearest } from '../core/nearest.ts'
import type { StreamConfig } from '../durable-object/rpc.ts'
import {
  type AirbyteCatalog,
  AirbyteError,
  type AirbyteStream,
  columnsOf,
  type DestinationSyncMode,
  type StreamDescriptor,
  type SyncMode,
  streamKey,
} from '../protocol/index.ts'
import type { StreamChoice } from './fields.ts'
import { mappingOf } from './mapping-choice.ts'

/** The pairs that have a meaning, best default first. */
export const PAIRS: Record<SyncMode, readonly DestinationSyncMode[]> = {
  full_refresh: ['overwrite', 'overwrite_dedup', 'append'],
  incremental: ['append_dedup', 'append'],
}

interface Abilities {
  /** Modes of the destination. */
  modes: readonly DestinationSyncMode[]
  /** The source is configured for change data capture. */
  cdc: boolean
}

/**
 * The streams of a connection, from what was asked and what the source has. Nothing asked: all
 * streams by full refresh.
 *
 * @throws STREAM_NOT_FOUND, MODE_UNSUPPORTED, CURSOR_MISSING, PRIMARY_KEY_MISSING, VALIDATION_FAILED
 */
export function chooseStreams(
  catalog: AirbyteCatalog,
  choices: readonly StreamChoice[] | undefined,
  abilities: Abilities,
): StreamConfig[] {
  const wanted: readonly StreamChoice[] =
    choices ?? catalog.streams.map(({ name, namespace }) => ({ name, namespace }))
  const seen = new Set<string>()
  return wanted.map((choice, i) => {
    const at = `streams[${i}]`
    const stream = findStream(catalog, choice, `${at}.name`)
    const key = streamKey(stream)
    if (seen.has(key)) {
      throw new AirbyteError('VALIDATION_FAILED', `The stream ${key} is given twice.`, {
        field: at,
      })
    }
    seen.add(key)
    return configure(stream, choice, abilities, at)
  })
}

/**
 * The stream that a name means: exact, `namespace.name`, or a bare name that is unique.
 * @throws STREAM_NOT_FOUND with the nearest names
 */
export function findStream(
  catalog: AirbyteCatalog,
  wanted: string | StreamDescriptor,
  field: string,
  owner: 'source' | 'connection' = 'source',
): AirbyteStream {
  const { name, namespace }: StreamDescriptor =
    typeof wanted === 'string' ? { name: wanted } : wanted
  const found = catalog.streams.filter((stream) =>
    namespace !== undefined
      ? stream.name === name && stream.namespace === namespace
      : stream.name === name ||
        // Of thousands most are told apart without another text.
        (name.endsWith(stream.name) && `${stream.namespace}.${stream.name}` === name),
  )
  const [stream] = found
  if (found.length === 1 && stream) return stream
  const keys = catalog.streams.map(plainName)
  if (found.length > 1) {
    const didYouMean = found.map(plainName)
    const message = `Several schemas have a stream '${name}': ${didYouMean.join(', ')}.`
    throw new AirbyteError('STREAM_NOT_FOUND', message, {
      ...{ field, didYouMean, hint: 'Name its namespace too.' },
    })
  }
  const asked = namespace === undefined ? name : `${namespace}.${name}`
  const names = [...new Set([...keys, ...catalog.streams.map((s) => s.name)])]
  throw new AirbyteError('STREAM_NOT_FOUND', `The ${owner} has no stream '${asked}'.`, {
    field,
    didYouMean: nearest(asked, names),
  })
}

const plainName = ({ name, namespace }: StreamDescriptor) =>
  namespace === undefined ? name : `${namespace}.${name}`

function configure(
  stream: AirbyteStream,
  choice: StreamChoice,
  abilities: Abilities,
  at: string,
): StreamConfig {
  const syncMode = syncModeOf(stream, choice.syncMode ?? 'full_refresh', abilities.cdc, at)
  const primaryKey = primaryKeyOf(stream, choice, at)
  const destinationSyncMode = destinationModeOf(stream, choice, syncMode, primaryKey, abilities, at)
  const cursorField = syncMode === 'incremental' ? cursorOf(stream, choice, at) : undefined
  const { selectedFields, lookbackSeconds, includeFiles, normalization } = choice
  if (includeFiles && !stream.is_file_based) {
    throw new AirbyteError('MODE_UNSUPPORTED', `${stream.name} has no files.`, {
      field: `${at}.includeFiles`,
    })
  }
  const needed = [...primaryKey, ...(cursorField ? [cursorField] : [])].flatMap(
    ([top]) => top ?? [],
  )
  checkSelected(stream, selectedFields, needed, at)
  const mapping = mappingOf(
    choice,
    columnsOf(stream.json_schema),
    cursorField?.[0],
    `${at}.mapping`,
  )
  return {
    name: stream.name,
    ...(stream.namespace !== undefined && { namespace: stream.namespace }),
    syncMode,
    destinationSyncMode,
    ...(cursorField && { cursorField }),
    ...(primaryKey.length > 0 && { primaryKey }),
    ...(selectedFields && { selectedFields }),
    ...(lookbackSeconds !== undefined && { lookbackSeconds }),
    ...(includeFiles && { includeFiles }),
    ...(mapping && { mapping }),
    ...(normalization && { normalization }),
  }
}

function syncModeOf(
  stream: AirbyteStream,
  asked: SyncMode | 'cdc',
  cdc: boolean,
  at: string,
): SyncMode {
  const name = plainName(stream)
  const mode = asked === 'cdc' && cdc ? 'incremental' : asked
  if (mode !== 'cdc' && stream.supported_sync_modes.includes(mode)) return mode
  const offered = stream.supported_sync_modes.join(', ')
  throw new AirbyteError(
    'MODE_UNSUPPORTED',
    mode === 'cdc'
      ? `${name} cannot be read by change data capture: its source is not configured for it.`
      : `${name} cannot be read in mode ${mode}.`,
    { stream: name, field: `${at}.syncMode`, hint: `Use one of: ${offered}.` },
  )
}

function destinationModeOf(
  stream: AirbyteStream,
  { destinationSyncMode: asked }: StreamChoice,
  syncMode: SyncMode,
  primaryKey: string[][],
  { modes }: Abilities,
  at: string,
): DestinationSyncMode {
  const name = plainName(stream)
  const keyed = primaryKey.length > 0
  const possible = PAIRS[syncMode].filter((mode) => modes.includes(mode))
  const mode = asked ?? possible.find((candidate) => keyed || !candidate.endsWith('_dedup'))
  if (mode === undefined || !possible.includes(mode)) {
    const reason = modes.includes(mode ?? 'append') ? `with ${syncMode}` : 'into this destination'
    throw new AirbyteError('MODE_UNSUPPORTED', `${name} cannot be written as ${mode} ${reason}.`, {
      ...{ stream: name, field: `${at}.destinationSyncMode` },
      hint: `Use one of: ${possible.join(', ') || 'another sync mode'}.`,
    })
  }
  if (mode.endsWith('_dedup') && !keyed) {
    throw new AirbyteError(
      'PRIMARY_KEY_MISSING',
      `${name} has no primary key, which ${mode} needs.`,
      {
        ...{ stream: name, field: `${at}.primaryKey` },
      },
    )
  }
  return mode
}

function cursorOf(stream: AirbyteStream, { cursorField }: StreamChoice, at: string): string[] {
  const name = plainName(stream)
  const own = stream.default_cursor_field
  if (stream.source_defined_cursor) return own ?? []
  const chosen = cursorField === undefined ? own : [cursorField].flat()
  const field = `${at}.cursorField`
  const columns = fieldsOf(stream)
  if (!chosen || chosen.length === 0) {
    const hint = `Name a column that grows with every change; ${name} has: ${columns.slice(0, 20).join(', ')}.`
    throw new AirbyteError('CURSOR_MISSING', `${name} needs a cursorField.`, {
      stream: name,
      field,
      hint,
    })
  }
  const [top = ''] = chosen
  if (!columns.includes(top)) {
    const didYouMean = nearest(top, columns)
    throw new AirbyteError('CURSOR_MISSING', `${name} has no column '${top}'.`, {
      ...{ stream: name, field, didYouMean },
    })
  }
  return chosen
}

function primaryKeyOf(stream: AirbyteStream, { primaryKey }: StreamChoice, at: string): string[][] {
  if (primaryKey === undefined) return stream.source_defined_primary_key ?? []
  const key = [primaryKey].flat().map((path) => [path].flat())
  const columns = fieldsOf(stream)
  for (const [top = ''] of key) {
    if (columns.includes(top)) continue
    const name = plainName(stream)
    throw new AirbyteError('PRIMARY_KEY_MISSING', `${name} has no column '${top}'.`, {
      ...{ stream: name, field: `${at}.primaryKey`, didYouMean: nearest(top, columns) },
    })
  }
  return key
}

function checkSelected(
  stream: AirbyteStream,
  selected: string[] | undefined,
  needed: string[],
  at: string,
): void {
  if (!selected) return
  const field = `${at}.selectedFields`
  const columns = fieldsOf(stream)
  const unknown = selected.find((column) => !columns.includes(column))
  if (unknown !== undefined) {
    const message = `${plainName(stream)} has no column '${unknown}'.`
    throw new AirbyteError('VALIDATION_FAILED', message, {
      field,
      didYouMean: nearest(unknown, columns),
    })
  }
  const left = needed.find((column) => !selected.includes(column))
  if (left === undefined) return
  const message = `${plainName(stream)} needs its key or cursor column '${left}'.`
  throw new AirbyteError('VALIDATION_FAILED', message, { field, hint: `Select '${left}' too.` })
}

const fieldsOf = (stream: AirbyteStream) => Object.keys(stream.json_schema.properties ?? {})
