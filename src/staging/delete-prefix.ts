import type { ObjectStore } from '../runtime/contract.ts'

/** Deletes every object whose key begins so. What appears meanwhile may stay: call it again. */
export async function deletePrefix(store: ObjectStore, prefix: string): Promise<void> {
  for (;;) {
    const { objects, cursor } = await store.list(prefix)
    if (objects.length > 0) await store.delete(objects.map(({ key }) => key))
    if (!cursor) return
  }
}
