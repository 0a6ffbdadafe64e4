import type { RejectedRow } from '../../runtime/contract.ts'
import type { TaskHost } from './host.ts'
import type { StreamClaim } from './types.ts'

/** Prefix of everything a sync stages; deleted when the sync ends. */
export const stagedPrefix = (syncId: number) => `staging/${syncId}/`

/** The fence keeps a zombie's bytes apart from those of its successor. */
export const stagedKey = (claim: StreamClaim, id: string) =>
  `${stagedPrefix(claim.input.syncId)}${id}.${claim.fence}`

/** Rejected rows of all syncs of a connection. */
export const rejectsOf = (connectionId: string) => `rejects/${connectionId}/`

export const rejectsPrefix = (connectionId: string, syncId: number) =>
  `${rejectsOf(connectionId)}${syncId}/`

export const rejectsKey = (claim: StreamClaim, id: string) =>
  `${rejectsPrefix(claim.input.connectionId, claim.input.syncId)}${id}.jsonl`

/** Writes rejected rows as JSON lines; returns the key, or undefined when there are none. */
export async function saveRejects(
  slice: { host: TaskHost; claim: StreamClaim },
  key: string,
  rejects: RejectedRow[],
): Promise<string | undefined> {
  if (rejects.length === 0) return undefined
  const stream = slice.claim.stream.key
  const lines = rejects.map((reject) => JSON.stringify({ stream, ...reject }))
  await slice.host.staging.put(key, `${lines.join('\n')}\n`)
  return key
}
