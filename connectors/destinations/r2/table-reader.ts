import { streamKey } from '../../../src/protocol/index.ts'
import type { ObjectStore, StreamPlan, TableReader } from '../../../src/runtime/contract.ts'
import { readCurrent } from './document.ts'
import { layoutOf } from './layout.ts'
import { readLatest, readRows } from './read-back.ts'
import type { Config } from './spec.ts'
import { DELETED_AT, isDedup, tableOf } from './table.ts'

/** What readers of a stream see now; of a deduplicated one the row of each key that stands. */
export async function tableReader(
  store: ObjectStore,
  { pathPrefix }: Config,
  target: StreamPlan['target'],
): Promise<TableReader | null> {
  const layout = layoutOf(pathPrefix, target)
  const found = await readCurrent(store, layout.current)
  if (!found || found.document.visible.length === 0) return null
  const { stream, mode, latestBy, columns, visible } = found.document
  const dedup = isDedup(mode)
  const vital = new Set(dedup ? [...latestBy.keys, latestBy.cursor, DELETED_AT] : [])
  return {
    columns: columns.filter(({ name }) => name !== DELETED_AT || !dedup),
    ...(!dedup && { rows: visible.reduce((sum, { rows }) => sum + rows, 0) }),
    async *read(wanted) {
      const read = columns.filter(({ name }) => wanted.includes(name) || vital.has(name))
      const table = tableOf({
        ...{ connectionId: '', syncId: 0, stream, target, mode, columns: read },
        primaryKey: latestBy.keys.map((key) => [key]),
        cursorField: latestBy.cursor === null ? [] : [latestBy.cursor],
        ...{ generationId: 0, minimumGenerationId: 0, normalization: 'basic', format: 'records' },
      })
      const places = wanted.map((name) => read.findIndex((column) => column.name === name))
      const batches = (dedup ? readLatest : readRows)(store, layout, visible, table)
      for await (const batch of batches) {
        const cells = places.map((place) => batch.columns[place])
        if (cells.includes(undefined)) throw new Error(`${streamKey(stream)} lacks ${wanted}`)
        yield { length: batch.length, columns: cells as NonNullable<(typeof cells)[0]>[] }
      }
    },
  }
}
