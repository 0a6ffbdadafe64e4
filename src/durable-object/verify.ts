import { addRows, emptyRowHash, formatRowHash } from '../core/row-hash.ts'
import { type Batch, isDedup, rowsOf } from '../protocol/index.ts'
import type { Loader, StreamPlan } from '../runtime/contract.ts'
import { decodeCopyText, encodeCopyText } from '../runtime/formats/pg-copy-text.ts'
import type { StreamRow } from './connection-store.ts'
import { loadersOf } from './loaders.ts'
import type {
  ChildVerified,
  ConnectionRecord,
  Receipt,
  StreamReceipt,
  VerifyResult,
} from './rpc.ts'

const LIMIT_MS = 10 * 60_000

/**
 * Compares what the receipts say with what the destination holds now: rows of the current generation
 * by count, or their row hashes by reading them back. Merged tables hold fewer rows than were loaded,
 * so of those only existence is checked.
 */
export async function verifyStreams(
  env: Env,
  connection: ConnectionRecord,
  receipt: Receipt,
  rows: StreamRow[],
  level: 'count' | 'hash',
): Promise<VerifyResult> {
  const inReceipt = new Map(receipt.streams.map((stream) => [stream.stream, stream]))
  const wanted = rows.filter(({ key }) => inReceipt.has(key))
  const streams: VerifyResult['streams'] = []
  for await (const opened of loadersOf(env, connection, wanted, LIMIT_MS)) {
    const { row, plan, loader, capabilities } = opened
    const byHash = level === 'hash' && capabilities.verify.includes('hash')
    const compared = await compare(loader, inReceipt.get(row.key) as StreamReceipt, row, byHash)
    const found = withNotes(compared, receipt)
    const children = byHash && plan.children ? await compareChildren(loader, plan) : []
    const ok = found.ok && children.every((child) => child.ok)
    streams.push({ ...found, ok, ...(children.length > 0 && { children }) })
  }
  return { level, ok: streams.every(({ ok }) => ok), streams }
}

/** With what the source has that was not read: no comparison with what was shows it. */
function withNotes<F extends VerifyResult['streams'][number]>(found: F, { warnings }: Receipt): F {
  const unread = warnings.filter(
    ({ code, stream }) => code === 'ROWS_WITHOUT_CURSOR' && stream === found.stream,
  )
  const notes = [...(found.note ? [found.note] : []), ...unread.map(({ message }) => message)]
  return notes.length > 0 ? { ...found, note: notes.join(' ') } : found
}

async function compare(
  loader: Loader,
  receipt: StreamReceipt,
  row: StreamRow,
  byHash: boolean,
): Promise<VerifyResult['streams'][number]> {
  const { stream } = receipt
  // A backfill has a generation to itself. Receipts of older versions do not tell the generation's rows.
  const expected = receipt.range
    ? { rows: receipt.rowsLoaded, rowHash: receipt.rowHash }
    : (receipt.generation ?? { rows: row.rows, rowHash: row.rowHash })
  const found = emptyRowHash()
  const merged = isDedup(receipt.mode.destination)
  if (merged || !loader.readBack) {
    const foundRows = await loader.count()
    const note = merged
      ? 'Rows are merged by key, so their number is not that of the rows loaded.'
      : 'This destination can only be counted.'
    const ok = foundRows !== null && (merged || foundRows === expected.rows)
    return { stream, ok, foundRows, ...(merged ? {} : { expectedRows: expected.rows }), note }
  }
  for await (const batch of loader.readBack(receipt.generationId)) {
    if (byHash) addRows(found, bytesOf(batch))
    else found.rows += rowsOf(batch)
  }
  const counted = { stream, expectedRows: expected.rows, foundRows: found.rows }
  if (!byHash) return { ...counted, ok: found.rows === expected.rows }
  const foundHash = formatRowHash(found)
  const ok = found.rows === expected.rows && foundHash === expected.rowHash
  return { ...counted, ok, expectedHash: expected.rowHash, foundHash }
}

/** Whether tables of arrays have as many rows as the rows with the arrays say. */
async function compareChildren(loader: Loader, plan: StreamPlan): Promise<ChildVerified[]> {
  const { children = [] } = plan
  const expected = children.map(() => 0)
  const found = children.map(() => 0)
  for (const table of [undefined, ...children.keys()]) {
    const arrays = [...children.entries()].filter(([, { parent }]) => parent === table)
    for await (const batch of loader.readBack?.(undefined, table) ?? []) {
      if (table !== undefined) found[table] = (found[table] ?? 0) + rowsOf(batch)
      if (arrays.length === 0) continue
      const { schema, columns } = recordsOf(batch)
      for (const [index, { count }] of arrays) {
        const cells = columns[schema.findIndex(({ name }) => name === count)] ?? []
        for (const cell of cells) expected[index] = (expected[index] ?? 0) + Number(cell)
      }
    }
  }
  return children.map(({ table }, i) => ({
    ...{ table, ok: expected[i] === found[i] },
    ...{ expectedRows: expected[i] ?? 0, foundRows: found[i] ?? 0 },
  }))
}

const recordsOf = (batch: Batch) =>
  batch.kind === 'records' ? batch : decodeCopyText(batch.bytes, batch.schema)

const bytesOf = (batch: Batch) => (batch.kind === 'encoded' ? batch.bytes : encodeCopyText(batch))
