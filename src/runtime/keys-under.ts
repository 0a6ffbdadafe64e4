import type { ObjectStore } from './contract.ts'

/** The keys under a prefix, in their order. */
export async function* keysUnder(store: ObjectStore, prefix: string): AsyncGenerator<string> {
  let cursor: string | undefined
  do {
    const page = await store.list(prefix, cursor)
    for (const { key } of page.objects) yield key
    cursor = page.cursor
  } while (cursor !== undefined)
}
