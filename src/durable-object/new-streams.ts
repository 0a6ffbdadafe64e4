import { targetKey } from '../core/sync-engine/connection-tables.ts'
import { chooseStreams } from '../operations/stream-choices.ts'
import { type AirbyteStream, streamKey, toAirbyteError } from '../protocol/index.ts'
import { destinationRegistry, destinationStub } from './platform.ts'
import type { ConnectionRecord, StreamConfig, Warning } from './rpc.ts'

export interface Admitted {
  streams: StreamConfig[]
  warnings: Warning[]
}

/**
 * New streams of the source as streams of the connection: in the modes that creating it would choose,
 * their tables claimed. One that cannot be had is left out, with a warning that says why.
 */
export async function admitStreams(
  env: Env,
  record: ConnectionRecord,
  found: AirbyteStream[],
): Promise<Admitted> {
  const destination = destinationStub(env, record.tenantId, record.destinationId)
  const { modes, namespaces } = destinationRegistry.get((await destination.get()).type).capabilities
  const admitted: Admitted = { streams: [], warnings: [] }
  for (const stream of found) {
    const key = streamKey(stream)
    try {
      const [config] = chooseStreams({ streams: [stream] }, undefined, { modes, cdc: false })
      if (!config) continue
      const table = targetKey(record, stream, namespaces)
      await destination.addTables(record.id, record.name, [table])
      admitted.streams.push(config)
      const { syncMode, destinationSyncMode } = config
      const message = `${key} is new at the source and was added: ${syncMode}, ${destinationSyncMode}, into ${table}.`
      admitted.warnings.push({ code: 'STREAM_ADDED', stream: key, message })
    } catch (error) {
      const { message, hint } = toAirbyteError(error)
      const why = `${key} is new at the source and was not added: ${message} ${hint}`
      admitted.warnings.push({ code: 'STREAM_NOT_ADDED', stream: key, message: why })
    }
  }
  return admitted
}
