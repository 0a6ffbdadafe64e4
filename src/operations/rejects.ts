import { rejectsPrefix } from '../core/sync-engine/objects.ts'
import { linesOf, type Reject } from '../core/sync-engine/reject-lines.ts'
import type { ObjectStore } from '../runtime/contract.ts'
import { keysUnder } from '../runtime/keys-under.ts'
import type { OperationContext } from './define.ts'

export interface RejectPage {
  items: Reject[]
  /** Give it back for more; absent at the end. */
  cursor?: string
}

/** What a page may weigh: rows can be large, and a caller's memory is not. */
const PAGE_CHARS = 1_000_000

/**
 * The rejected rows of a sync, in the order of their chunks' names. A cursor is the number of rows
 * before it, so that rows which join a running sync may shift a page.
 */
export async function readRejects(
  ctx: OperationContext,
  connectionId: string,
  syncId: number,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<RejectPage> {
  const from = Number(cursor ?? 0)
  const items: Reject[] = []
  let at = 0
  let chars = 0
  for await (const line of linesUnder(ctx.staging, rejectsPrefix(connectionId, syncId))) {
    if (at++ < from) continue
    if (items.length === limit || (items.length > 0 && chars + line.length > PAGE_CHARS)) {
      return { items, cursor: String(from + items.length) }
    }
    items.push(JSON.parse(line) as Reject)
    chars += line.length
  }
  return { items }
}

async function* linesUnder(store: ObjectStore, prefix: string): AsyncGenerator<string> {
  for await (const key of keysUnder(store, prefix)) {
    const object = await store.get(key)
    if (object) yield* linesOf(object.body)
  }
}
