/** A source's log, as a slice reads it: asked of its reader by RPC, and read from R2. */
import { readPart } from '../cdc/segment.ts'
import { toAirbyteError } from '../protocol/index.ts'
import type { StagedChanges } from '../runtime/source-log.ts'
import { logReaderStub, stagingStore } from './platform.ts'
import type { LogOwner } from './rpc.ts'

export function stagedChanges(env: Env, owner: LogOwner): StagedChanges {
  const reader = logReaderStub(env, owner.tenantId, owner.sourceId)
  const store = stagingStore(env, owner.tenantId)
  return {
    prepare: (streams) => reader.prepare(owner, streams).catch(unpack),
    hold: () => reader.hold().catch(unpack),
    next: (log, stream, { segment, position }, waitMs) =>
      reader.next(log, stream, { segment, position }, waitMs).catch(unpack),
    unloaded: (log, { segment, position }, waitMs) =>
      reader.unloaded(log, { segment, position }, waitMs).catch(unpack),
    read: (part) => readPart(store, part),
  }
}

/** What a source catches must be the error itself, not what RPC made of it. */
function unpack(error: unknown): never {
  throw toAirbyteError(error)
}
