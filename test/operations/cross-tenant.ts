import { acceptInvitation } from '../../src/identity/objects.ts'
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
  const webhook = await call('webhooks.create', {
    ...{ name: `${CANARY}-w`, url: `https://${CANARY}.example/in`, events: ['sync.failed'] },
  })
  await call('webhooks.test', { webhook: webhook.id })
  const { items } = await call('webhooks.deliveries')
  const [delivery] = items as unknown as { id: number }[]
  const note = `${CANARY}-i`
  const invitation = await call('members.invite', { level: 'reader', note })
  const accepted = await call('members.invite', { level: 'editor', note })
  const member = `u${crypto.randomUUID().replaceAll('-', '')}`
  await acceptInvitation(env, tenantId, String(accepted.id), {
    userId: member,
    name: `${CANARY}-m`,
  })
  return {
    ...{ source: source.id, destination: destination.id, connection: connection.id },
    ...{ id: source.id, sync: Number(sync.syncId), connector: connector.id, key: key.id },
    ...{ setupId: pg.setupId, webhook: webhook.id, invitation: invitation.id, member },
    delivery: delivery?.id,
  }
}

/** What a workspace has that can be named, by the field in which operations take its id. */
type Victim = Awaited<ReturnType<typeof victim>>

/**
 * Every operation that names something, with the victim's id in one of its fields at a time; in its
 * other fields stands what is the intruder's own.
 */
export function intrusions(
  theirs: Victim,
  own: Partial<Victim> = {},
): { operation: Operation; input: Record<string, unknown> }[] {
  return operations.flatMap((operation) => {
    const naming = Object.keys(operation.input.shape).filter(
      (field): field is keyof Victim => field in theirs,
    )
    const isRequired = (field: string) =>
      !operation.input.shape[field]?.safeParse(undefined).success
    return naming.map((field) => {
      const others = naming.filter((other) => other !== field && isRequired(other))
      const besides = Object.fromEntries(
        others.map((other) => [other, own[other] ?? theirs[other]]),
      )
      return { operation, input: { ...EXTRAS[operation.id], ...besides, [field]: theirs[field] } }
    })
  })
}

/** Every reading operation that names nothing: what it lists has to be the caller's own. */
export const lists = () =>
  operations.filter(
    ({ input, effect }) =>
      effect.readOnly &&
      Object.values(input.shape).every((field) => field.safeParse(undefined).success),
  )

/**
 * Fields that name nothing of a workspace: a new field is in neither list, and has to be put into
 * one of them before the tests pass.
 */
const NAMES_NOTHING = new Set([
  ...['name', 'type', 'kind', 'note', 'level', 'status', 'query', 'limit', 'cursor', 'offset'],
  ...[
    'config',
    'enterCredentials',
    'confirm',
    'waitSeconds',
    'refresh',
    'schemas',
    'spec',
    'texts',
  ],
  ...['stream', 'streams', 'schedule', 'namespace', 'prefix', 'normalization', 'flattening'],
  ...['transfer', 'schemaChanges', 'maxRejects', 'freshnessSeconds', 'limits', 'planHash', 'plan'],
  ...['field', 'from', 'to', 'remove', 'states', 'receipt', 'after', 'chunks', 'sql', 'yaml'],
  ...['dryRun', 'version', 'manifest', 'metadata', 'components', 'license', 'acceptLicense'],
  ...['shadow', 'scopes', 'expiresInDays', 'url', 'events'],
])

/** Fields of operations that nobody has yet said whether they name something. */
export const unknownFields = (theirs: Victim) =>
  operations.flatMap(({ id, input }) =>
    Object.keys(input.shape)
      .filter((field) => !(field in theirs) && !NAMES_NOTHING.has(field))
      .map((field) => `${id} ${field}`),
  )

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
  'webhooks.update': { name: 'stolen' },
  'webhooks.create': { name: 'mine', url: 'https://mine.example/in', events: ['sync.failed'] },
  'members.setLevel': { level: 'owner' },
}
