import { type Builders, build, type Component } from '../component.ts'
import { str } from '../python/text.ts'
import { truthy } from '../python/values.ts'
import type { RecordData } from '../records/types.ts'

/** Cuts a list of properties into what one request can ask for. */
export interface Chunking {
  chunks(fields: string[], always: string[], selected: Set<string> | undefined): string[][]
  mergeKey(record: RecordData): string | undefined
}

/** What stands between two properties in a URL, encoded. */
const DELIMITER_CHARACTERS = 3

export function chunking(component: Component): Chunking {
  const type = component.text('property_limit_type')
  if (type !== 'property_count' && type !== 'characters') {
    throw component.refuse(`'${type}' is not property_count or characters.`, 'property_limit_type')
  }
  const limit = Number(component.get('property_limit') ?? 0)
  const sizeOf = (field: string) =>
    type === 'characters' ? [...field].length + DELIMITER_CHARACTERS : 1
  const merge = component.optionalChild('record_merge_strategy')
  return {
    mergeKey: merge ? build(MERGES, merge, undefined) : byKeys(['id']),
    chunks(fields, always, selected) {
      // As the reference does: without a limit the selection does not count.
      if (!limit) return [[...fields, ...always]]
      const chunks: string[][] = []
      let chunk = [...always]
      let size = 0
      for (const field of fields) {
        if (selected && !selected.has(field)) continue
        if (size + sizeOf(field) > limit) {
          chunks.push(chunk)
          chunk = [...always]
          size = 0
        }
        chunk.push(field)
        size += sizeOf(field)
      }
      return [...chunks, chunk]
    },
  }
}

const MERGES: Builders<Chunking['mergeKey'], undefined> = {
  GroupByKeyMergeStrategy(component) {
    const key = component.required('key')
    return byKeys((Array.isArray(key) ? key : [key]).map(String))
  },
}

/** A record that lacks one of the keys is not merged. */
const byKeys =
  (keys: string[]): Chunking['mergeKey'] =>
  (record) => {
    const values = keys.map((key) => record[key])
    return values.every(truthy) ? values.map(str).join(',') : undefined
  }
