/**
 * Values that a change log left out because the change did not touch them. A file has null there and
 * an entry `UNCHANGED` in `_airbyte_meta`; readers of a deduplicated stream take what the row had before.
 */
import type { Cell, RecordBatch, RecordChange } from '../../../src/protocol/index.ts'

/** The columns that the row of this `_airbyte_meta` left out. */
export function leftOutIn(meta: Cell | undefined): string[] {
  if (typeof meta !== 'string' || !meta.includes('"UNCHANGED"')) return []
  const { changes } = JSON.parse(meta) as { changes: Omit<RecordChange, 'row'>[] }
  return changes.flatMap(({ field, change }) => (change === 'UNCHANGED' ? [field] : []))
}

/** How such an entry begins in the text of `_airbyte_meta`, which nothing else in it can be. */
export const leftOutText = (field: string) =>
  `{"field":${JSON.stringify(field)},"change":"UNCHANGED"`

/**
 * What a change of the key left out is what the row of the *old* key had, which may be of another part
 * of the keys: readers do not look for it. Sources complete such rows, so there should be none.
 */
export function withoutMoved({ op, changes = [] }: RecordBatch): RecordChange[] {
  return changes.map((entry) =>
    entry.change === 'UNCHANGED' && op?.[entry.row] === 'm'
      ? { ...entry, change: 'NULLED', reason: 'SOURCE_RETRIEVAL_ERROR' }
      : entry,
  )
}
