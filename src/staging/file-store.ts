import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, type Dirent } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { ObjectInfo, ObjectStore, PutCondition } from '../runtime/contract.ts'
import { holds } from './memory-store.ts'
import { checkedKey, checkedPrefix } from './object-key.ts'

/** Unfinished writes and locks live here, outside every listing. */
const WORK = '.object-store'
const PAGE = 1000
const STALE_LOCK_MS = 10_000

/**
 * An `ObjectStore` in a directory: an object is a file, its key the path. Writes appear by rename,
 * so readers see a whole object or none; conditional writes hold between processes too.
 * One limit that R2 has not: a key cannot also be the folder of other keys.
 *
 * @example
 * const store = fileStore('./warehouse')
 */
export function fileStore(directory: string): ObjectStore {
  const work = join(directory, WORK)
  const pathOf = (key: string) => join(directory, checkedKey(key))

  const write = async (key: string, fill: (path: string) => Promise<void>, only?: PutCondition) => {
    const path = pathOf(key)
    const draft = join(work, randomUUID())
    await mkdir(work, { recursive: true })
    try {
      await fill(draft)
      await mkdir(dirname(path), { recursive: true })
      if (!only) await rename(draft, path)
      else if ('absent' in only) await link(draft, path)
      else if (!(await swap(work, key, path, draft, only))) return null
      return await infoOf(key, path)
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return null
      throw error
    } finally {
      await rm(draft, { force: true })
    }
  }

  return {
    async get(key, range) {
      const path = pathOf(key)
      const file = await open(path).catch(absent)
      if (!file) return null
      // Stat and read through one handle: a replacement in between is never mixed in.
      const info = describe(key, await file.stat({ bigint: true }))
      const end = range && Math.min(range.offset + range.length, info.size) - 1
      if (info.size === 0 || (range && range.length === 0) || (end ?? 0) < (range?.offset ?? 0)) {
        await file.close()
        return { ...info, body: new Response(new Uint8Array(0)).body as ReadableStream<Uint8Array> }
      }
      const stream = createReadStream(path, { fd: file, start: range?.offset, end })
      return { ...info, body: Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array> }
    },
    async head(key) {
      return infoOf(key, pathOf(key))
    },
    async put(key, body, onlyIf) {
      return write(key, (path) => writeFile(path, body), onlyIf)
    },
    async putStream(key, body) {
      return (await write(key, (path) => writeFile(path, body))) as ObjectInfo
    },
    async delete(keys) {
      await Promise.all(keys.map((key) => rm(pathOf(key), { force: true })))
    },
    async list(prefix, cursor) {
      checkedPrefix(prefix)
      const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
      const keys = (await keysUnder(directory, folder))
        .filter((key) => key.startsWith(prefix) && (cursor === undefined || key > cursor))
        .sort()
      const page = keys.slice(0, PAGE)
      const found = await Promise.all(page.map((key) => infoOf(key, join(directory, key))))
      const objects = found.filter((info) => info !== null)
      return keys.length > PAGE ? { objects, cursor: page.at(-1) } : { objects }
    },
  }
}

/** Compare-and-swap by etag: the file system has none, so a lock file makes one. */
async function swap(work: string, key: string, path: string, draft: string, only: PutCondition) {
  const lock = join(work, `${createHash('sha256').update(key).digest('hex')}.lock`)
  while (!(await writeFile(lock, '', { flag: 'wx' }).then(() => true, heldByAnother))) {
    const held = await stat(lock).catch(absent)
    if (held && Date.now() - held.mtimeMs > STALE_LOCK_MS) await rm(lock, { force: true })
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  try {
    if (!holds(await infoOf(key, path), only)) return false
    await rename(draft, path)
    return true
  } finally {
    await rm(lock, { force: true })
  }
}

async function keysUnder(directory: string, folder: string): Promise<string[]> {
  const entries: Dirent[] =
    (await readdir(join(directory, folder), { withFileTypes: true }).catch(absent)) ?? []
  const keys: string[] = []
  for (const entry of entries) {
    const key = folder + entry.name
    if (entry.isFile()) keys.push(key)
    else if (entry.isDirectory() && key !== WORK)
      keys.push(...(await keysUnder(directory, `${key}/`)))
  }
  return keys
}

async function infoOf(key: string, path: string): Promise<ObjectInfo | null> {
  const found = await stat(path, { bigint: true }).catch(absent)
  return found?.isFile() ? describe(key, found) : null
}

/** Every write makes a new inode; with its time in nanoseconds that names a version. */
function describe(key: string, found: { ino: bigint; mtimeNs: bigint; size: bigint }): ObjectInfo {
  return {
    key,
    size: Number(found.size),
    etag: `${found.ino.toString(36)}-${found.mtimeNs.toString(36)}-${found.size.toString(36)}`,
    uploaded: Number(found.mtimeNs / 1_000_000n),
  }
}

const codeOf = (error: unknown) => (error as { code?: string }).code

function absent(error: unknown): null {
  if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null
  throw error
}

function heldByAnother(error: unknown): false {
  if (codeOf(error) === 'EEXIST') return false
  throw error
}
