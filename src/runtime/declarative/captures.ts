import { AirbyteError, type Captures, isObject, type JsonValue } from '../../protocol/index.ts'

const KINDS = ['creates', 'updates', 'deletes'] as const

/**
 * What incremental reads of a connector's streams see, from the `captures` of its metadata. It
 * stands there because the language of manifests has no word for it. `'*'` is for streams that are
 * not named, as those are that the API itself lists.
 *
 * @throws VALIDATION_FAILED naming the stream whose entry is wrong
 * @example
 * capturesOf({ issues: ['creates', 'updates'] })
 * // { issues: { creates: true, updates: true, deletes: false } }
 */
export function capturesOf(table: JsonValue | undefined): Record<string, Captures> {
  if (table === undefined || table === null) return {}
  if (!isObject(table)) throw invalid('data.captures', 'must be an object of streams')
  return Object.fromEntries(
    Object.entries(table).map(([stream, seen]) => {
      const field = `data.captures.${stream}`
      if (!Array.isArray(seen)) throw invalid(field, `must be a list of ${KINDS.join(', ')}`)
      const unknown = seen.find((kind) => !KINDS.some((known) => known === kind))
      if (unknown !== undefined) throw invalid(field, `has '${unknown}', which is not known`)
      return [
        stream,
        {
          creates: seen.includes('creates'),
          updates: seen.includes('updates'),
          deletes: seen.includes('deletes'),
        },
      ]
    }),
  )
}

const invalid = (field: string, message: string) =>
  new AirbyteError('VALIDATION_FAILED', `metadata.yaml: '${field}' ${message}.`, {
    field: `metadata.${field}`,
  })
