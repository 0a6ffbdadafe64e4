import { env } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import {
  connectionStub,
  destinationStub,
  sourceStub,
  syncStub,
} from '../../src/durable-object/platform.ts'
import type {
  ConnectionConfig,
  StreamConfig,
  SyncRecord,
  SyncSummary,
} from '../../src/durable-object/rpc.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { serverFields } from '../support/server-fields.ts'

export const TENANT = 'local'

export interface Setup {
  source?: { type: string; config: JsonObject }
  destination?: { type: string; config: JsonObject }
  streams?: StreamConfig[]
  change?: Partial<ConnectionConfig>
}

/** The config of the test PostgreSQL, as the destination takes it. */
export function postgresConfig(schema: string): JsonObject {
  return {
    ...serverFields((env as unknown as { PG_URL: string }).PG_URL),
    schema,
    ssl_mode: { mode: 'disable' },
  }
}

export const stream = (change: Partial<StreamConfig> = {}): StreamConfig => ({
  name: 'users',
  syncMode: 'full_refresh',
  destinationSyncMode: 'overwrite',
  ...change,
})

/** A source, a destination and a connection of their own, by default sample data to dev-null. */
export async function connect(setup: Setup = {}) {
  const id = crypto.randomUUID()
  const named = { tenantId: TENANT, id, name: id }
  const { source = { type: 'sample-data', config: { count: 2500 } } } = setup
  const { destination = { type: 'dev-null', config: {} } } = setup
  await sourceStub(env, TENANT, id).create({ ...named, ...source })
  await destinationStub(env, TENANT, id).create({ ...named, ...destination })
  const connection = connectionStub(env, TENANT, id)
  await connection.create({
    ...named,
    sourceId: id,
    destinationId: id,
    streams: setup.streams ?? [stream()],
    schedule: { type: 'manual' },
    normalization: 'basic',
    transfer: 'auto',
    schemaChanges: 'propagate_columns',
    maxRejects: 1000,
    ...setup.change,
  })
  return { id, connection, source: sourceStub(env, TENANT, id) }
}

type Connection = Awaited<ReturnType<typeof connect>>['connection']

export async function start(connection: Connection, options: { acceptEmpty?: boolean } = {}) {
  const started: SyncSummary = await connection.startSync({ trigger: 'manual', ...options })
  return syncStub(env, TENANT, started.syncId)
}

/** Waits for a sync to end; says what it was doing if it does not. */
export async function ended(
  sync: Awaited<ReturnType<typeof start>>,
  timeout = 50_000,
): Promise<SyncRecord> {
  const over = async () => expect((await sync.get()).endedAt).toBeDefined()
  await vi.waitFor(over, { timeout, interval: 30 }).catch(async () => {
    const { lines } = await sync.logs({ limit: 50 })
    throw new Error(`not over: ${JSON.stringify({ record: await sync.get(), lines }, null, 1)}`)
  })
  return sync.get()
}

export async function run(
  connection: Connection,
  options: { acceptEmpty?: boolean } = {},
  timeout?: number,
) {
  const record = await ended(await start(connection, options), timeout)
  await settled(connection, record.syncId)
  return { ...record, receipt: await connection.receipt(record.syncId) }
}

/** Waits until the connection knows that the sync is over. */
export const settled = (connection: Connection, syncId: number) =>
  vi.waitFor(async () => expect((await connection.get()).lastSync?.syncId).toBe(syncId), {
    timeout: 20_000,
  })
