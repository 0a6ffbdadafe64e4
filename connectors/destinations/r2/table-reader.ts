import {
  type Column,
  DELETED_AT,
  isDedup,
  type RecordBatch,
  streamKey,
} from '../../../src/protocol/index.ts'
import type { ObjectStore, StreamPlan, TableReader } from '../../../src/runtime/contract.ts'
import { type CurrentDocument, readCurrent, readTarget } from './document.ts'
import { layoutOf } from './layout.ts'
import { readChild, readLatest, readRows } from './read-back.ts'
import type { Config } from './spec.ts'
import { childTableOf, ROOT_ID, tableOf } from './table.ts'

/** What readers of a stream see now; of a deduplicated one the row of each key that stands. */
export async function tableReader(
  store: ObjectStore,
  { pathPrefix }: Config,
  target: StreamPlan['target'],
): Promise<TableReader | null> {
  const there = await readTarget(store, layoutOf(pathPrefix, target).current)
  if (!there) return null
  if ('childOf' in there.document) {
    return childReader(store, pathPrefix, there.document.childOf, target.table)
  }
  const layout = layoutOf(pathPrefix, target)
  const { document } = there
  if (document.visible.length === 0) return null
  const { stream, mode, latestBy, columns, visible } = document
  const dedup = isDedup(mode)
  const vital = new Set(dedup ? [...latestBy.keys, latestBy.cursor, DELETED_AT] : [])
  return {
    columns: columns.filter(({ name }) => name !== DELETED_AT || !dedup),
    ...(!dedup && { rows: visible.reduce((sum, { rows }) => sum + rows, 0) }),
    async *read(wanted) {
      const read = columns.filter(({ name }) => wanted.includes(name) || vital.has(name))
      const table = tableOf(planOf(document, target, read))
      const batches = (dedup ? readLatest : readRows)(store, layout, visible, table)
      yield* picked(batches, read, wanted, streamKey(stream))
    },
  }
}

/** The table of an array, as part of the stream that has it. */
async function childReader(
  store: ObjectStore,
  pathPrefix: string,
  parent: StreamPlan['target'],
  name: string,
): Promise<TableReader | null> {
  const layout = layoutOf(pathPrefix, parent)
  const document = (await readCurrent(store, layout.current))?.document
  const child = document?.children?.find(({ table }) => table === name)
  if (!document || !child || document.visible.length === 0) return null
  const { columns, visible, latestBy } = document
  const vital = new Set([...latestBy.keys, latestBy.cursor, DELETED_AT])
  return {
    columns: child.columns,
    async *read(wanted) {
      const own = columns.filter((column) => vital.has(column.name))
      const read = child.columns.filter(
        (column) => wanted.includes(column.name) || column.name === ROOT_ID,
      )
      const plan = planOf(document, parent, own)
      const table = childTableOf(plan, { ...child, columns: read })
      const batches = readChild(store, layout, visible, tableOf(plan), table)
      yield* picked(batches, read, wanted, name)
    },
  }
}

/** A plan that reads these columns of what is there. */
function planOf(
  { stream, mode, latestBy }: CurrentDocument,
  target: StreamPlan['target'],
  columns: Column[],
): StreamPlan {
  return {
    ...{ connectionId: '', syncId: 0, stream, target, mode, columns },
    primaryKey: latestBy.keys.map((key) => [key]),
    cursorField: latestBy.cursor === null ? [] : [latestBy.cursor],
    ...{ generationId: 0, minimumGenerationId: 0, normalization: 'basic', format: 'records' },
  }
}

async function* picked(
  batches: AsyncIterable<RecordBatch>,
  read: Column[],
  wanted: string[],
  stream: string,
) {
  const places = wanted.map((name) => read.findIndex((column) => column.name === name))
  for await (const batch of batches) {
    const cells = places.map((place) => batch.columns[place])
    if (cells.includes(undefined)) throw new Error(`${stream} lacks ${wanted}`)
    yield { length: batch.length, columns: cells as NonNullable<(typeof cells)[0]>[] }
  }
}
