import type { ObjectInfo, ObjectStore, PutCondition, StoredObject } from '../runtime/contract.ts'
import { collect, streamOf } from './bytes.ts'
import { checkedKey, checkedPrefix } from './object-key.ts'

const PAGE = 1000

interface Entry extends ObjectInfo {
  bytes: Uint8Array
}

/**
 * An `ObjectStore` in memory, for tests and previews.
 *
 * @example
 * const store = memoryStore()
 * await store.put('a/b', 'text', { absent: true })
 */
export function memoryStore(): ObjectStore {
  const entries = new Map<string, Entry>()
  let version = 0

  const write = (key: string, bytes: Uint8Array): ObjectInfo => {
    version += 1
    const entry = { key, size: bytes.length, etag: `m${version}`, uploaded: Date.now(), bytes }
    entries.set(key, entry)
    return infoOf(entry)
  }

  return {
    async get(key, range): Promise<StoredObject | null> {
      const entry = entries.get(checkedKey(key))
      if (!entry) return null
      const bytes = range
        ? entry.bytes.slice(range.offset, range.offset + range.length)
        : entry.bytes.slice()
      return { ...infoOf(entry), body: streamOf(bytes) }
    },
    async head(key) {
      const entry = entries.get(checkedKey(key))
      return entry ? infoOf(entry) : null
    },
    async put(key, body, onlyIf) {
      const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body.slice()
      return holds(entries.get(checkedKey(key)), onlyIf) ? write(key, bytes) : null
    },
    async putStream(key, body) {
      checkedKey(key)
      return write(key, await collect(body))
    },
    async delete(keys) {
      for (const key of keys) entries.delete(checkedKey(key))
    },
    async list(prefix, cursor) {
      checkedPrefix(prefix)
      const found = [...entries.values()]
        .filter(({ key }) => key.startsWith(prefix) && (cursor === undefined || key > cursor))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
      const objects = found.slice(0, PAGE).map(infoOf)
      return found.length > PAGE ? { objects, cursor: objects.at(-1)?.key } : { objects }
    },
  }
}

const infoOf = ({ key, size, etag, uploaded }: Entry): ObjectInfo => ({ key, size, etag, uploaded })

/** Whether a conditional write may go ahead over what is there now. */
export function holds(current: { etag: string } | null | undefined, onlyIf?: PutCondition) {
  if (!onlyIf) return true
  return 'absent' in onlyIf ? !current : current?.etag === onlyIf.etag
}
