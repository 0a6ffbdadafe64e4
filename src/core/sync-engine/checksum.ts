import { createHash } from 'node:crypto'

/** Passes bytes through and takes their SHA-256; `sha256()` is valid once `body` is exhausted. */
export function checksummed(body: AsyncIterable<Uint8Array>): {
  body: AsyncIterable<Uint8Array>
  sha256: () => string
} {
  const hash = createHash('sha256')
  async function* pass() {
    for await (const bytes of body) {
      hash.update(bytes)
      yield bytes
    }
  }
  return { body: pass(), sha256: () => hash.copy().digest('hex') }
}
