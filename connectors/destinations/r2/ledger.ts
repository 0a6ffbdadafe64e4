import type { ObjectStore } from '../../../src/runtime/contract.ts'
import { exactJson, parseExactIntegers } from '../../../src/runtime/exact-json.ts'
import type { Ledger, LedgerEntry } from './document.ts'
import type { Layout } from './layout.ts'

/** Entries that `_current.json` carries before they are sealed: its size stays bounded. */
const OPEN_ENTRIES = 100
const OPEN_BYTES = 256 * 1024

export const newLedger = (connectionId: string, generation: number, epoch: number): Ledger => ({
  ...{ connectionId, generation, epoch },
  ...{ segments: 0, chunks: 0, files: 0, rows: 0, bytes: 0, entries: [] },
})

/**
 * The ledger with one more entry. When the open entries are many, they are first written out as a
 * segment. What a segment holds follows from the version of the ledger it was sealed from, so
 * writers that race write the same bytes.
 */
export async function withEntry(
  store: ObjectStore,
  layout: Layout,
  ledger: Ledger,
  entry: LedgerEntry,
): Promise<Ledger> {
  const full = ledger.entries.length >= OPEN_ENTRIES || textOf(ledger.entries).length > OPEN_BYTES
  if (full) {
    const key = layout.segment(ledger.generation, ledger.epoch, ledger.segments)
    await store.put(key, textOf({ version: 1, entries: ledger.entries }))
  }
  return {
    ...ledger,
    segments: ledger.segments + (full ? 1 : 0),
    chunks: ledger.chunks + 1,
    files: ledger.files + (entry.file ? 1 : 0),
    rows: ledger.rows + entry.rows,
    bytes: ledger.bytes + entry.bytes,
    entries: full ? [entry] : [...ledger.entries, entry],
  }
}

/** Every entry, oldest first, a segment in memory at a time. */
export async function* entriesOf(
  store: ObjectStore,
  layout: Layout,
  ledger: Ledger,
): AsyncGenerator<LedgerEntry> {
  for (let i = 0; i < ledger.segments; i++) yield* await segment(store, layout, ledger, i)
  yield* ledger.entries
}

/** Segments read at once while a chunk is looked for. */
const LOOKUPS = 16

/** The entry of a chunk, if it was committed. Replays concern the newest, so those are tried first. */
export async function findChunk(
  store: ObjectStore,
  layout: Layout,
  ledger: Ledger,
  chunkId: string,
): Promise<LedgerEntry | undefined> {
  const isIt = ({ chunk }: LedgerEntry) => chunk === chunkId
  const open = ledger.entries.find(isIt)
  if (open) return open
  for (let to = ledger.segments; to > 0; to -= LOOKUPS) {
    const from = Math.max(0, to - LOOKUPS)
    const indexes = Array.from({ length: to - from }, (_, i) => from + i)
    const sealed = await Promise.all(indexes.map((i) => segment(store, layout, ledger, i)))
    const found = sealed.flat().find(isIt)
    if (found) return found
  }
}

async function segment(store: ObjectStore, layout: Layout, ledger: Ledger, index: number) {
  const key = layout.segment(ledger.generation, ledger.epoch, index)
  const found = await store.get(key)
  if (!found) throw new Error(`the ledger segment ${key} is missing from the warehouse`)
  const text = await new Response(found.body).text()
  return (parseExactIntegers(text) as { entries: LedgerEntry[] }).entries
}

const textOf = (value: unknown) => exactJson(value) ?? ''
