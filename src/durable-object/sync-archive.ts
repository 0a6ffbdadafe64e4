/** What stays of a sync when its object has deleted itself: one object in R2. */
import { AirbyteError, type LogLevel } from '../protocol/index.ts'
import type { ObjectStore } from '../runtime/contract.ts'
import { exactJson, parseExactIntegers } from '../runtime/exact-json.ts'
import { stagingStore } from './platform.ts'
import type { LogLine, SyncRecord } from './rpc.ts'

interface Archive {
  record: SyncRecord
  logs: LogLine[]
}

const keyOf = (syncId: number) => `syncs/${syncId}.json`

export async function writeArchive(store: ObjectStore, archive: Archive): Promise<void> {
  await store.put(keyOf(archive.record.syncId), exactJson(archive) ?? '')
}

/** `name` is the object's: `<tenantId>:<syncId>`. NOT_FOUND if no such sync ever ended. */
export async function readArchive(env: Env, name: string | undefined): Promise<Archive> {
  const [, tenantId, syncId] = /^(.+):(\d+)$/.exec(name ?? '') ?? []
  const object = tenantId && (await stagingStore(env, tenantId).get(keyOf(Number(syncId))))
  if (!object) throw new AirbyteError('NOT_FOUND', 'There is no such sync.')
  return parseExactIntegers(await new Response(object.body).text()) as Archive
}

export const pageOf = (lines: LogLine[], after: number, limit: number, levels: LogLevel[]) =>
  lines.filter(({ seq, level }) => seq > after && levels.includes(level)).slice(0, limit)
