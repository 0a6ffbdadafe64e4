/** Web Crypto's types want to know that a buffer is not shared; these say so. */
type Bytes = Uint8Array<ArrayBuffer>

export const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

export const fromBase64 = (text: string): Bytes => unshared(Buffer.from(text, 'base64'))

export const utf8 = (text: string): Bytes => unshared(Buffer.from(text))

function unshared(source: Uint8Array): Bytes {
  const bytes = new Uint8Array(source.byteLength)
  bytes.set(source)
  return bytes
}
