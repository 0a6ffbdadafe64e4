import { AirbyteError, isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import { BETA } from './changes.ts'
import type { Language } from './language.ts'

/** What only the language of before 0.29.0 has, and what took its place. */
const TYPES: Record<string, string> = {
  CartesianProductStreamSlicer: 'a list of partition routers',
  DatetimeStreamSlicer: 'DatetimeBasedCursor, in incremental_sync of the stream',
  ListStreamSlicer: 'ListPartitionRouter',
  SingleSlice: 'nothing: it can be left out',
  SubstreamSlicer: 'SubstreamPartitionRouter',
}
const FIELDS: Record<string, string> = {
  $options: '$parameters',
  checkpoint_interval: 'nothing: it can be left out',
  field_pointer: 'field_path',
  stream_cursor_field: 'incremental_sync of the stream',
  stream_slicer: 'partition_router, and incremental_sync of the stream',
}

/**
 * Refuses what was written for before the beta, naming the first node.
 *
 * @throws VALIDATION_FAILED
 */
export function refuseBeforeBeta(manifest: JsonObject, language: Language): void {
  if (language.was('stableLanguage')) look(manifest, '')
}

function look(node: JsonValue, path: string): void {
  if (Array.isArray(node)) {
    for (const [index, item] of node.entries()) look(item, `${path}[${index}]`)
  } else if (typeof node === 'string') {
    if (node.startsWith('*ref(')) throw tooOld(path, `'${node}'`, '$ref')
  } else if (isObject(node)) {
    const byType = TYPES[String(node.type)]
    if (byType) throw tooOld(path, String(node.type), byType)
    for (const [name, value] of Object.entries(node)) {
      const here = path === '' ? name : `${path}.${name}`
      if (FIELDS[name]) throw tooOld(here, name, FIELDS[name])
      look(value, here)
    }
  }
}

function tooOld(path: string, what: string, instead: string): AirbyteError {
  return new AirbyteError(
    'VALIDATION_FAILED',
    `${path}: ${what} belongs to the language of before ${BETA}, which no version since then runs.`,
    { field: path, hint: `In its place: ${instead}.` },
  )
}
