import { AirbyteError } from '../../../protocol/index.ts'
import { decompress } from './gzip.ts'
import type { Chunks } from './text.ts'

const END_RECORD = 0x06054b50
const CENTRAL_ENTRY = 0x02014b50
const LOCAL_HEADER_BYTES = 30

/**
 * The files of a ZIP archive, one after the other. The archive must be there as a whole, because
 * its directory stands at its end; its files are unpacked piece by piece.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT section 4.3
 */
export function* unzip(bytes: Uint8Array): Generator<Chunks> {
  for (const { chunks } of unzipEntries(bytes)) yield chunks
}

/** The same with the path of each file. */
export function* unzipEntries(bytes: Uint8Array): Generator<{ path: string; chunks: Chunks }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = endRecord(view)
  const count = view.getUint16(end + 10, true)
  let at = view.getUint32(end + 16, true)
  for (let entry = 0; entry < count; entry++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL_ENTRY) throw damaged()
    const method = view.getUint16(at + 10, true)
    const size = view.getUint32(at + 20, true)
    const [name = 0, extra = 0, comment = 0] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    )
    const local = view.getUint32(at + 42, true)
    if (local + LOCAL_HEADER_BYTES > bytes.length) throw damaged()
    const start =
      local +
      LOCAL_HEADER_BYTES +
      view.getUint16(local + 26, true) +
      view.getUint16(local + 28, true)
    const packed = once(bytes.subarray(start, start + size))
    const path = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + name))
    const chunks = method === 0 ? packed : decompress(packed, 'deflate-raw')
    if (!path.endsWith('/')) yield { path, chunks }
    at += 46 + name + extra + comment
  }
}

async function* once(bytes: Uint8Array) {
  yield bytes
}

function endRecord(view: DataView): number {
  for (let at = view.byteLength - 22; at >= 0; at--) {
    if (view.getUint32(at, true) === END_RECORD) return at
  }
  throw damaged()
}

const damaged = () => new AirbyteError('UPSTREAM_ERROR', 'The ZIP archive is cut or damaged.')
