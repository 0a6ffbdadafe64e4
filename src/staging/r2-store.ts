import type { ObjectInfo, ObjectStore, PutCondition } from '../runtime/contract.ts'
import { checkedKey, checkedPrefix } from './object-key.ts'

/** R2 takes parts of 5 MiB and more, all of one size but the last. */
const PART_BYTES = 5 * 1024 * 1024

/** What this store needs of Cloudflare's `R2Bucket`. */
export interface Bucket {
  get(
    key: string,
    options?: { range: { offset: number; length: number } },
  ): Promise<BucketObjectBody | null>
  head(key: string): Promise<BucketObject | null>
  put(key: string, body: Uint8Array | string): Promise<BucketObject>
  put(
    key: string,
    body: Uint8Array | string,
    options: { onlyIf: { etagMatches?: string; etagDoesNotMatch?: string } },
  ): Promise<BucketObject | null>
  createMultipartUpload(key: string): Promise<MultipartUpload>
  delete(keys: string[]): Promise<void>
  list(options: { prefix: string; cursor?: string }): Promise<BucketPage>
}

interface BucketObject {
  key: string
  size: number
  etag: string
  uploaded: Date
}

interface BucketObjectBody extends BucketObject {
  body: ReadableStream
}

interface BucketPage {
  objects: BucketObject[]
  truncated: boolean
  cursor?: string
}

interface MultipartUpload {
  uploadPart(number: number, body: Uint8Array): Promise<{ partNumber: number; etag: string }>
  complete(parts: { partNumber: number; etag: string }[]): Promise<BucketObject>
  abort(): Promise<void>
}

/**
 * An `ObjectStore` on an R2 bucket. Every key is kept below `prefix` (a workspace's `<tenantId>/`),
 * which no key can leave. `putStream` holds at most two parts of 5 MiB.
 *
 * @example
 * const store = r2Store(env.WAREHOUSE, `${tenantId}/`)
 */
export function r2Store(bucket: Bucket, prefix: string): ObjectStore {
  if (!prefix.endsWith('/')) throw new RangeError('the prefix of an R2 store ends with /')
  checkedPrefix(prefix)
  const inside = (key: string) => checkedKey(prefix + checkedKey(key))
  const infoOf = ({ key, size, etag, uploaded }: BucketObject): ObjectInfo => ({
    key: key.slice(prefix.length),
    size,
    etag,
    uploaded: uploaded.getTime(),
  })

  return {
    async get(key, range) {
      const found = await bucket.get(inside(key), range && { range })
      return found && { ...infoOf(found), body: found.body }
    },
    async head(key) {
      const found = await bucket.head(inside(key))
      return found && infoOf(found)
    },
    async put(key, body, onlyIf) {
      const written = onlyIf
        ? await bucket.put(inside(key), body, { onlyIf: conditionOf(onlyIf) })
        : await bucket.put(inside(key), body)
      return written && infoOf(written)
    },
    async putStream(key, body) {
      return infoOf(await upload(bucket, inside(key), body))
    },
    async delete(keys) {
      const all = keys.map(inside)
      for (let i = 0; i < all.length; i += 1000) await bucket.delete(all.slice(i, i + 1000))
    },
    async list(under, cursor) {
      const page = await bucket.list({ prefix: prefix + checkedPrefix(under), cursor })
      const objects = page.objects.map(infoOf)
      return page.truncated ? { objects, cursor: page.cursor } : { objects }
    },
  }
}

const conditionOf = (onlyIf: PutCondition) =>
  'absent' in onlyIf ? { etagDoesNotMatch: '*' } : { etagMatches: onlyIf.etag }

/** One part is filled while the one before it travels: that is all the memory and all the overlap. */
async function upload(bucket: Bucket, key: string, body: AsyncIterable<Uint8Array>) {
  let part = new Uint8Array(0)
  let filled = 0
  let spare: Uint8Array<ArrayBuffer> | undefined
  let target: MultipartUpload | undefined
  let sending: Promise<void> | undefined
  const sent: { partNumber: number; etag: string }[] = []

  const send = async (bytes: Uint8Array<ArrayBuffer>, length: number) => {
    target ??= await bucket.createMultipartUpload(key)
    sent.push(await target.uploadPart(sent.length + 1, bytes.subarray(0, length)))
    spare = bytes
  }

  try {
    for await (const chunk of body) {
      for (let at = 0; at < chunk.length; ) {
        if (filled === PART_BYTES) {
          await sending
          sending = send(part, filled)
          // The failure is thrown where the promise is awaited, never as an unhandled rejection.
          sending.catch(() => {})
          part = spare ?? new Uint8Array(PART_BYTES)
          spare = undefined
          filled = 0
        }
        const take = Math.min(chunk.length - at, PART_BYTES - filled)
        if (filled + take > part.length) part = grown(part, filled + take)
        part.set(chunk.subarray(at, at + take), filled)
        filled += take
        at += take
      }
    }
    await sending
    if (!target) return await bucket.put(key, part.subarray(0, filled))
    await send(part, filled)
    return await target.complete(sent)
  } catch (error) {
    await sending?.catch(() => {})
    await target?.abort().catch(() => {})
    throw error
  }
}

/** Small objects stay small: the first part doubles up to its full size. */
function grown(part: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> {
  const size = Math.min(PART_BYTES, Math.max(needed, part.length * 2, 64 * 1024))
  const larger = new Uint8Array(size)
  larger.set(part)
  return larger
}
