import type { ListDelta, PartitionDelta } from '../protocol/index.ts'
import { exactJson } from '../runtime/exact-json.ts'

/** Deltas of at most some bytes each that do, one after the other, what this one does. */
export function* piecesOf(delta: PartitionDelta, maxBytes: number): Generator<PartitionDelta> {
  let piece: PartitionDelta = {}
  let bytes = 0
  for (const [pointer, { reset, set }] of Object.entries(delta)) {
    let list: ListDelta = { ...(reset ? { reset } : {}), set: [] }
    piece[pointer] = list
    for (const entry of set) {
      const size = exactJson(entry)?.length ?? 0
      if (bytes > 0 && bytes + size > maxBytes) {
        yield piece
        list = { set: [] }
        piece = { [pointer]: list }
        bytes = 0
      }
      list.set.push(entry)
      bytes += size
    }
  }
  if (Object.keys(piece).length > 0) yield piece
}
