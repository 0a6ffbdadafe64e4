import type { ObjectStore } from '../../../src/runtime/contract.ts'
import { keysUnder } from '../../../src/runtime/keys-under.ts'
import { type Ledger, type LedgerEntry, readCurrent } from './document.ts'
import { fenceOf, type Layout } from './layout.ts'
import { entriesOf } from './ledger.ts'

/**
 * Deletes the ledgers given and everything that lost its meaning: data objects that no ledger
 * names (of failed attempts, superseded workers, dropped generations) and segments of ledgers that
 * are gone. What a fence above `fence` wrote belongs to a newer worker and stays.
 */
export async function removeGarbage(
  store: ObjectStore,
  layout: Layout,
  layoutOfChild: (table: string) => Layout,
  fence: number,
  dropped: Ledger[],
): Promise<void> {
  const goners = new Set<string>()
  for (const ledger of dropped) {
    for await (const entry of entriesOf(store, layout, ledger))
      for (const file of filesOf(entry)) goners.add(file)
  }
  // Listed before the ledgers are read: what is committed in between is in both, never only listed.
  const listed: string[] = []
  const list = async (prefix: string) => {
    for await (const key of keysUnder(store, prefix)) listed.push(key)
  }
  await list(`${layout.root}generation=`)
  await list(`${layout.root}_ledger/`)
  const { children = [] } = (await readCurrent(store, layout.current))?.document ?? {}
  for (const { table } of children) await list(`${layoutOfChild(table).root}generation=`)
  const live = await liveKeys(store, layout)
  if (!live) return
  for (const key of listed) {
    const written = fenceOf(key)
    if (written !== undefined && written <= fence) goners.add(key)
  }
  for (const key of live) goners.delete(key)
  if (goners.size > 0) await store.delete([...goners])
}

const filesOf = ({ file, children = [] }: LedgerEntry): string[] => [
  ...(file ? [file] : []),
  ...children.map((child) => child.file),
]

/** Every object that `_current.json` leads to. */
async function liveKeys(store: ObjectStore, layout: Layout): Promise<Set<string> | null> {
  const found = await readCurrent(store, layout.current)
  if (!found) return null
  const { visible, building, retired } = found.document
  const live = new Set<string>()
  for (const ledger of [...visible, ...retired, ...(building ? [building] : [])]) {
    for await (const entry of entriesOf(store, layout, ledger))
      for (const file of filesOf(entry)) live.add(file)
    for (let i = 0; i <= ledger.segments; i++) {
      live.add(layout.segment(ledger.generation, ledger.epoch, i))
    }
  }
  return live
}
