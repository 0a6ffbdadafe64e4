import { AirbyteError, isDedup, streamKey } from '../../../src/protocol/index.ts'
import {
  type ChildTable,
  type Chunk,
  isReplayId,
  type LedgerPosition,
  type Loader,
  type LoadResult,
  type ObjectStore,
  type StreamPlan,
} from '../../../src/runtime/contract.ts'
import {
  type ChildDocument,
  type CurrentDocument,
  type Ledger,
  type LedgerEntry,
  readCurrent,
  readTarget,
  type Versioned,
  writeCurrent,
} from './document.ts'
import { writeFamily } from './family.ts'
import { type Layout, layoutOf } from './layout.ts'
import { findChunk, newLedger, withEntry } from './ledger.ts'
import { countLatest, readChild, readLatest, readRows } from './read-back.ts'
import { newTally } from './rows.ts'
import type { Config } from './spec.ts'
import { removeGarbage } from './sweep.ts'
import { childTablesOf, isOverwrite, type Table, tableOf } from './table.ts'

/** Conditional writes that lose to another of the same claim are tried again this often. */
const ATTEMPTS = 8

/**
 * Loads one stream. A chunk's data object is written first, under a key that no other attempt has;
 * it counts from the moment when a write of `_current.json`, conditional on the version that was
 * read, names it. That write also checks the fence, so a superseded worker's objects stay unseen.
 */
export function r2Loader(store: ObjectStore, config: Config, plan: StreamPlan): Loader {
  const table = tableOf(plan)
  const children = childTablesOf(plan)
  const layout = layoutOf(config.pathPrefix, plan.target)
  const layoutOfChild = (name: string) =>
    layoutOf(config.pathPrefix, { ...plan.target, table: name })
  const stream = streamKey(plan.stream)

  async function readAdmitted(fence: number): Promise<Versioned> {
    const found = await readCurrent(store, layout.current)
    if (!found || !admits(found.document, plan, fence)) throw fenceLost(stream, fence)
    return found
  }

  /** Applies a change to the document, over whichever version is there; null leaves it as it is. */
  async function update(
    fence: number,
    change: (document: CurrentDocument) => CurrentDocument | null,
  ): Promise<CurrentDocument> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await readAdmitted(fence)
      const next = change(found.document)
      if (!next) return found.document
      if (await writeCurrent(store, layout.current, { ...next, fence }, found)) return next
    }
    throw contended(stream)
  }

  /** A chunk of this generation, or, of rows loaded from the rejects, of any that readers see. */
  async function findAnywhere(document: CurrentDocument, own: Ledger, chunkId: string) {
    const others = isReplayId(chunkId) ? document.visible.filter((ledger) => ledger !== own) : []
    for (const ledger of [own, ...others]) {
      const known = await findChunk(store, layout, ledger, chunkId)
      if (known) return known
    }
    return undefined
  }

  /** Enters a chunk that was not in the version `searched`. */
  async function commit(
    entry: LedgerEntry,
    fence: number,
    searched: Versioned,
  ): Promise<LedgerEntry | 'committed'> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await readAdmitted(fence)
      const ledger = ownLedger(found.document, plan)
      if (!ledger) throw unprepared(stream)
      const known =
        found.etag === searched.etag
          ? undefined
          : await findAnywhere(found.document, ledger, entry.chunk)
      if (known) return known
      const grown = await withEntry(store, layout, ledger, { ...entry, seq: ledger.chunks })
      const next = { ...withLedger(found.document, grown), fence }
      if (await writeCurrent(store, layout.current, next, found)) return 'committed'
    }
    throw contended(stream)
  }

  return {
    async prepare(fence): Promise<LedgerPosition | null> {
      for (const child of children) {
        const { current } = layoutOfChild(child.plan.target.table)
        await claimChild(store, current, plan, stream)
      }
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const found = await readCurrent(store, layout.current)
        const takeover = found?.document.connectionId !== plan.connectionId
        if (found && !takeover && found.document.fence > fence) throw fenceLost(stream, fence)
        const next = prepared(found?.document, table, children, fence)
        if (await writeCurrent(store, layout.current, next, found)) {
          const last = ownLedger(next, plan)?.entries.at(-1)
          return last ? { chunkId: last.chunk, ...positionOf(last) } : null
        }
      }
      throw contended(stream)
    },

    async load(chunk: Chunk, fence: number): Promise<LoadResult> {
      const found = await readAdmitted(fence)
      const ledger = ownLedger(found.document, plan)
      if (!ledger) throw unprepared(stream)
      const known = await findAnywhere(found.document, ledger, chunk.id)
      if (known) return duplicateOf(known)

      const tally = newTally()
      const { format } = config
      const target = (own: Table, at: Layout) => ({
        table: own,
        key: at.data(plan.generationId, ledger.chunks, fence, chunk.id, format),
      })
      const written = await writeFamily(
        store,
        { id: chunk.id, format, body: chunk.body },
        target(table, layout),
        children.map((child) => target(child, layoutOfChild(child.plan.target.table))),
        tally,
      )
      await chunk.keepRejects?.(tally.rejects)
      const end = chunk.end()
      const outcome = await commit(
        {
          seq: ledger.chunks,
          chunk: chunk.id,
          file: written.own.file,
          rows: tally.rows,
          bytes: written.own.bytes,
          ...(written.children.length > 0 ? { children: written.children } : {}),
          deletes: tally.deletes,
          unplaced: tally.unplaced,
          ...(tally.truncates > 0 ? { truncates: tally.truncates } : {}),
          ...(tally.unchanged.size > 0 ? { unchanged: [...tally.unchanged] } : {}),
          extracted: tally.extracted,
          fence,
          syncId: plan.syncId,
          end,
        },
        fence,
        found,
      )
      if (outcome !== 'committed') return duplicateOf(outcome)
      return { duplicate: false, rows: tally.rows, end, rejects: tally.rejects }
    },

    async count() {
      const found = await readCurrent(store, layout.current)
      if (!found || found.document.visible.length === 0) return null
      if (!isDedup(plan.mode))
        return found.document.visible.reduce((sum, { rows }) => sum + rows, 0)
      return countLatest(store, layout, found.document.visible, table)
    },

    async finish(fence) {
      let replaced: Ledger[] = []
      await update(fence, (document) => {
        const { building } = document
        replaced = []
        if (!building || !isOwn(building, plan)) return null
        const kept = isOverwrite(plan.mode)
          ? []
          : document.visible.filter((ledger) => outlives(ledger, plan))
        const dropped = document.visible.filter((ledger) => !kept.includes(ledger))
        replaced = document.retired
        return { ...document, visible: [...kept, building], building: null, retired: dropped }
      })
      await removeGarbage(store, layout, layoutOfChild, fence, replaced)
    },

    async abort(fence) {
      let dropped: Ledger[] = []
      await update(fence, (document) => {
        const { building } = document
        dropped = building && isOwn(building, plan) ? [building] : []
        return dropped.length > 0 ? { ...document, building: null } : null
      })
      await removeGarbage(store, layout, layoutOfChild, fence, dropped)
    },

    async *readBack(generationId, child) {
      const found = await readCurrent(store, layout.current)
      const ledgers = (found?.document.visible ?? []).filter(
        ({ generation, connectionId }) =>
          generationId === undefined ||
          (generation === generationId && connectionId === plan.connectionId),
      )
      const own = child === undefined ? undefined : children[child]
      if (own) {
        yield* readChild(store, layout, ledgers, table, own)
        return
      }
      const read = isDedup(plan.mode) ? readLatest : readRows
      yield* read(store, layout, ledgers, table)
    },

    async close() {},
  }
}

/** The document that lets this plan load: with its ledger, its fence and its columns. */
function prepared(
  document: CurrentDocument | undefined,
  { plan, columns, keys, cursor }: Table,
  children: Table[],
  fence: number,
): CurrentDocument {
  const { connectionId, mode, primaryKey, generationId } = plan
  const latestBy = {
    keys: keys.flatMap((i) => columns[i]?.name ?? []),
    cursor: columns[cursor]?.name ?? null,
  }
  const tables = familyOf(plan, children, document)
  const base: CurrentDocument = {
    ...(document ?? { version: 1, visible: [], building: null, retired: [] }),
    ...{ stream: plan.stream, connectionId, fence, mode, primaryKey, latestBy, columns },
    ...(tables.length > 0 && { children: tables }),
  }
  if (ownLedger(base, plan)) return base
  const ledger = newLedger(connectionId, generationId, fence)
  const aside = isOverwrite(mode) || base.visible.some((older) => !outlives(older, plan))
  return aside ? { ...base, building: ledger } : { ...base, visible: [...base.visible, ledger] }
}

/** The plan's tables of arrays, then those that only earlier plans had. */
function familyOf(
  { children = [] }: StreamPlan,
  tables: Table[],
  document: CurrentDocument | undefined,
): ChildTable[] {
  const own = new Set(children.map(({ table }) => table))
  const named = children.map((child, i) => ({ ...child, columns: tables[i]?.columns ?? [] }))
  return [...named, ...(document?.children ?? []).filter(({ table }) => !own.has(table))]
}

/** Says where the rows of an array's table are; TABLE_TAKEN if another stream has the place. */
async function claimChild(
  store: ObjectStore,
  key: string,
  plan: StreamPlan,
  stream: string,
): Promise<void> {
  const { target, connectionId } = plan
  const document: ChildDocument = { version: 1, childOf: target, connectionId }
  const found = await readTarget(store, key)
  if (!found) {
    const put = await store.put(key, JSON.stringify(document), { absent: true })
    return put ? undefined : claimChild(store, key, plan, stream)
  }
  const { document: there } = found
  const isOurs =
    'childOf' in there &&
    there.childOf.table === target.table &&
    there.childOf.namespace === target.namespace
  if (isOurs) return
  throw new AirbyteError('TABLE_TAKEN', `${key}, for an array of '${stream}', is another table.`, {
    ...{ stream, hint: 'Give the connection its own namespace or prefix.' },
  })
}

const isOwn = (ledger: Ledger, plan: StreamPlan) =>
  ledger.connectionId === plan.connectionId && ledger.generation === plan.generationId

const ownLedger = ({ visible, building }: CurrentDocument, plan: StreamPlan) =>
  [...visible, ...(building ? [building] : [])].find((ledger) => isOwn(ledger, plan))

function withLedger(document: CurrentDocument, grown: Ledger): CurrentDocument {
  const swap = (ledger: Ledger) =>
    ledger.connectionId === grown.connectionId && ledger.generation === grown.generation
      ? grown
      : ledger
  const { visible, building } = document
  return { ...document, visible: visible.map(swap), building: building && swap(building) }
}

/** Whether the plan keeps an older generation's rows. Another connection's count as oldest. */
const outlives = (ledger: Ledger, plan: StreamPlan) =>
  (ledger.connectionId === plan.connectionId ? ledger.generation : 0) >= plan.minimumGenerationId

const admits = (document: CurrentDocument, plan: StreamPlan, fence: number) =>
  document.connectionId === plan.connectionId && document.fence <= fence

const positionOf = ({ end, rows, fence }: LedgerEntry) => ({ end, rows, fence })

const duplicateOf = ({ rows, end }: LedgerEntry): LoadResult => ({
  duplicate: true,
  rows,
  end,
  rejects: [],
})

const fenceLost = (stream: string, fence: number) =>
  new AirbyteError('FENCE_LOST', `A newer worker than fence ${fence} writes '${stream}'.`, {
    stream,
  })

const unprepared = (stream: string) =>
  new AirbyteError('CONFLICT', `The generation of '${stream}' was dropped or never prepared.`, {
    stream,
    hint: 'Prepare the stream again, then load.',
  })

const contended = (stream: string) =>
  new AirbyteError('UPSTREAM_ERROR', `'${stream}' is being written by several workers at once.`, {
    stream,
  })
