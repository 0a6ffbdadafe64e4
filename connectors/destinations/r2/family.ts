/** The files of one chunk: one for the stream's rows, and one for each table of arrays that has some. */
import { type Batch, childOf, type RecordBatch } from '../../../src/protocol/index.ts'
import { withRows } from '../../../src/runtime/batch-rows.ts'
import type { ObjectStore } from '../../../src/runtime/contract.ts'
import { rowIdsOf } from '../../../src/runtime/row-ids.ts'
import { Channel } from './channel.ts'
import type { ChildFile, FileFormat } from './document.ts'
import { encodeFile } from './encode.ts'
import { fileRows, newTally, type Tally } from './rows.ts'
import type { Table } from './table.ts'

interface Target {
  table: Table
  /** Of the data object. */
  key: string
}

export interface Written {
  own: { file: string | null; bytes: number }
  children: ChildFile[]
}

interface Chunk {
  id: string
  format: FileFormat
  body: AsyncIterable<Batch>
}

/** Writes them all at once, each as its rows come; counts the stream's own rows into `tally`. */
export async function writeFamily(
  store: ObjectStore,
  { id, format, body }: Chunk,
  own: Target,
  children: Target[],
  tally: Tally,
): Promise<Written> {
  const write = ({ table, key }: Target, rows: AsyncIterable<Batch>, counts: Tally) =>
    writeFile(store, format, id, table, key, rows, counts)
  if (children.length === 0) return { own: await write(own, body, tally), children: [] }

  const open = (target: Target, counts: Tally) => {
    const channel = new Channel<Batch>()
    const written = write(target, channel, counts)
    // What went wrong is told by the next push, or at the end.
    written.catch(() => {})
    return { channel, written, counts }
  }
  const parent = open(own, tally)
  const files = children.map((target) => open(target, newTally()))
  const all = [parent, ...files]
  try {
    for await (const batch of body) {
      const child = childOf(batch)
      const file = child === undefined ? parent : files[child]
      if (!file) throw new Error(`the plan has no child table ${child}`)
      const kept = batch.kind === 'records' ? without(tally.gone, batch) : batch
      await Promise.race([file.channel.push(kept), file.written.then(() => {})])
    }
  } finally {
    for (const { channel } of all) channel.close()
    await Promise.allSettled(all.map(({ written }) => written))
  }
  const found: ChildFile[] = []
  for (const [i, { written, counts }] of files.entries()) {
    const { file, bytes } = await written
    const table = children[i]?.table.plan.target.table
    if (file !== null && table !== undefined) found.push({ table, file, bytes, rows: counts.rows })
  }
  return { own: await parent.written, children: found }
}

async function writeFile(
  store: ObjectStore,
  format: FileFormat,
  chunk: string,
  table: Table,
  key: string,
  body: AsyncIterable<Batch>,
  tally: Tally,
): Promise<Written['own']> {
  const rows = fileRows(table, format, body, tally)
  const first = await rows.next()
  if (first.done) return { file: null, bytes: 0 }
  const bytes = encodeFile(format, table, rowIdsOf(chunk), startingWith(first.value, rows))
  return { file: key, bytes: (await store.putStream(key, bytes)).size }
}

/** The rows that belong to none of these. */
function without(gone: ReadonlySet<string>, batch: RecordBatch): RecordBatch {
  if (batch.child === undefined || gone.size === 0) return batch
  const [, roots = []] = batch.columns
  return withRows(batch, (row) => !gone.has(String(roots[row])))
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>) {
  yield first
  yield* rest
}
