import type {
  ChunkEnd,
  LedgerPosition,
  ObjectStore,
  StreamPlan,
} from '../../../src/runtime/contract.ts'
import { exactJson, parseExactIntegers } from '../../../src/runtime/exact-json.ts'

/** All that is kept of a stream: what a transactional destination keeps in its ledger table. */
export interface StreamLedger {
  version: 1
  /** The highest fence seen. */
  fence: number
  /** The generation that overwrite modes show; null until the first finish. */
  visible: number | null
  generations: Record<string, GenerationLedger>
  /** How often a counting dial has struck. */
  struck: number
}

export interface GenerationLedger {
  rows: number
  chunks: number
  last: LedgerPosition | null
  /** Ends of the newest chunks by id: a replay among them is answered from here. */
  ends: Record<string, ChunkEnd>
}

/** The record of one stream, changed by compare-and-swap: the commit point of this destination. */
export interface Ledger {
  read(): Promise<StreamLedger>
  /**
   * Applies a change to the newest record and stores it, again if somebody else was faster.
   * `change` may throw to refuse; what it returns is returned.
   */
  update<T>(change: (ledger: StreamLedger) => T): Promise<T>
}

/** Without a warehouse the ledger lives as long as the process: fine for a command line, no more. */
export function openLedger(warehouse: ObjectStore | undefined, plan: StreamPlan): Ledger {
  const { namespace, table } = plan.target
  const target = namespace === undefined ? [table] : [namespace, table]
  const path = [plan.connectionId, ...target].map(encodeURIComponent).join('/')
  const key = `_dev-null/${path}.json`
  return warehouse ? storedLedger(warehouse, key) : memoryLedger(key)
}

function storedLedger(warehouse: ObjectStore, key: string): Ledger {
  const load = async (): Promise<{ ledger: StreamLedger; etag?: string }> => {
    const object = await warehouse.get(key)
    if (!object) return { ledger: empty() }
    const text = await new Response(object.body).text()
    return { ledger: parseExactIntegers(text) as StreamLedger, etag: object.etag }
  }
  return {
    read: async () => (await load()).ledger,
    async update(change) {
      for (;;) {
        const { ledger, etag } = await load()
        const result = change(ledger)
        const onlyIf = etag === undefined ? { absent: true as const } : { etag }
        if (await warehouse.put(key, exactJson(ledger) ?? '', onlyIf)) return result
      }
    },
  }
}

function memoryLedger(key: string): Ledger {
  const read = () =>
    (parseExactIntegers(MEMORY.get(key) ?? 'null') as StreamLedger | null) ?? empty()
  return {
    read: async () => read(),
    async update(change) {
      const ledger = read()
      const result = change(ledger)
      MEMORY.set(key, exactJson(ledger) ?? '')
      return result
    },
  }
}

const MEMORY = new Map<string, string>()

const empty = (): StreamLedger => ({
  version: 1,
  fence: 0,
  visible: null,
  generations: {},
  struck: 0,
})

/** The entry of a generation, made if it is new. */
export function generationOf(ledger: StreamLedger, generationId: number): GenerationLedger {
  ledger.generations[generationId] ??= { rows: 0, chunks: 0, last: null, ends: {} }
  return ledger.generations[generationId]
}

/** Rows of a chunk that was lost on the way back: it is the newest. */
export const rowsOfChunk = ({ last }: GenerationLedger, chunkId: string): number =>
  last?.chunkId === chunkId ? last.rows : 0

/** Chunk ends kept for replays; a replay follows its loss within a chunk or two. */
const KEPT_ENDS = 1000

export function recordChunk(generation: GenerationLedger, position: LedgerPosition): void {
  generation.rows += position.rows
  generation.chunks += 1
  // What the partitions of an older chunk were nobody asks: only its place is kept.
  const before = generation.last
  if (before) {
    const { partitions: _, ...end } = before.end
    generation.ends[before.chunkId] = end
  }
  generation.last = position
  generation.ends[position.chunkId] = position.end
  const ids = Object.keys(generation.ends)
  for (const id of ids.slice(0, Math.max(0, ids.length - KEPT_ENDS))) delete generation.ends[id]
}
