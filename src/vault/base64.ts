export const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const decoded = Buffer.from(text, 'base64')
  const bytes = new Uint8Array(decoded.byteLength)
  bytes.set(decoded)
  return bytes
}
