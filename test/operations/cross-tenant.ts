import type { Operation } from '../../src/operations/define.ts'
import { operations } from '../../tools/index.ts'
import { itemsManifest } from '../support/items-manifest.ts'
import { callerOf } from './support.ts'

/** Text that stands in everything the victim has; it must not appear in any answer to the intruder. */
export const CANARY = 'canary-9c41'

/** A workspace with one of everything. Returns what an intruder may try as arguments. */
export async function victim(env: Env, tenantId: string) {
  const call = callerOf(env, tenantId)
  const config = { count: 3, seed: 1 }
  const source = await call('sources.create', { name: `${CANARY}-s`, type: 'sample-data', config })
  const destination = await call('destinations.create', {
    ...{ name: `${CANARY}-d`, type: 'dev-null', config: {} },
  })
  const link = { name: `${CANARY}-c`, source: source.id, destination: destination.id }
  const connection = await call('connections.create', link)
  const sync = await call('connections.sync', { connection: connection.id })
  const manifest = itemsManifest('https://api.example.com')
  const connector = await call('connectors.import', {
    ...{ name: `${CANARY}-m`, manifest, license: 'own' },
  })
  const key = await call('keys.create', { name: `${CANARY}-k`, scopes: ['workspace:read'] })
  const chat = callerOf(env, tenantId, { face: 'mcp' })
  const pg = await chat('destinations.create', {
    name: `${CANARY}-p`,
    type: 'postgres',
    config: { host: 'db.example.com', port: 5432, database: 'app', username: 'me' },
  })
  return {
    ids: { source: source.id, destination: destination.id, connection: connection.id },
    connector: connector.id,
    sync: Number(sync.syncId),
    key: key.id,
    setupId: pg.setupId,
  }
}

type Victim = Awaited<ReturnType<typeof victim>>

/** Every operation that names something, with the victim's ids as arguments. */
export function intrusions(
  ids: Victim,
): { operation: Operation; input: Record<string, unknown> }[] {
  return operations.flatMap((operation) => {
    const { shape } = operation.input
    const naming = Object.keys(shape).filter((field) => field in valuesOf(ids))
    const creates = operation.id.endsWith('.create') && operation.id !== 'connections.create'
    if (naming.length === 0 || creates || operation.id === 'catalog.get') return []
    const given = Object.fromEntries(naming.map((field) => [field, valuesOf(ids)[field]]))
    return [{ operation, input: { ...EXTRAS[operation.id], ...given } }]
  })
}

const valuesOf = ({ ids, connector, sync, key, setupId }: Victim): Record<string, unknown> => ({
  ...ids,
  ...{ id: ids.source, connector, sync, key, setupId },
})

/** What operations need besides, to come as far as the id. */
const EXTRAS: Record<string, Record<string, unknown>> = {
  'sources.preview': { stream: 'users' },
  'destinations.query': { sql: 'SELECT 1' },
  'connections.create': { name: 'mine' },
  'connections.plan': { name: 'mine' },
  'connections.backfill': { stream: 'users', field: 'id', from: '1' },
  'connections.setState': { states: [{ stream: 'users', state: null }] },
  'connectors.upgrade': { manifest: itemsManifest('https://api.example.com'), license: 'own' },
  'sources.update': { name: 'stolen' },
  'resources.update': { name: 'stolen' },
  'connections.update': { name: 'stolen' },
}
