import {
  fromRecord,
  isObject,
  type JsonObject,
  type JsonValue,
  toAirbyteError,
} from '../protocol/index.ts'
import { maskSecrets, splitSecrets } from '../vault/index.ts'
import { type ActorKind, createActor, specNamed, updateActor } from './actors.ts'
import { createConnection, updateConnection } from './connections.ts'
import type { OperationContext } from './define.ts'
import { scheduleOf } from './schedule-input.ts'
import { scheduleView } from './views.ts'
import type { ActorEntry, ConnectionEntry, WorkspaceDocument } from './workspace-document.ts'

export interface PlannedChange {
  action: 'create' | 'update' | 'unchanged'
  kind: ActorKind | 'connection'
  name: string
  /** Fields that differ; values are never shown. */
  changes: string[]
}

/** What applying would do, in the order in which it would be done. */
export async function planDocument(
  ctx: OperationContext,
  document: WorkspaceDocument,
): Promise<PlannedChange[]> {
  const plan: PlannedChange[] = []
  for (const entry of document.sources) plan.push(await planActor(ctx, 'source', entry))
  for (const entry of document.destinations) plan.push(await planActor(ctx, 'destination', entry))
  for (const entry of document.connections) plan.push(await planConnection(ctx, entry))
  return plan
}

/** Does what the plan says: sources and destinations first, then connections. Stops at the first error. */
export async function applyDocument(
  ctx: OperationContext,
  document: WorkspaceDocument,
  plan: PlannedChange[],
): Promise<void> {
  const entries = [...document.sources, ...document.destinations, ...document.connections]
  for (const [i, planned] of plan.entries()) {
    const entry = entries[i]
    if (!entry || planned.action === 'unchanged') continue
    try {
      if (planned.kind === 'connection')
        await applyConnection(ctx, entry as ConnectionEntry, planned)
      else await applyActor(ctx, planned.kind, entry as ActorEntry, planned)
    } catch (error) {
      const known = toAirbyteError(error).toJSON()
      const message = `${planned.kind} '${planned.name}': ${known.message}`
      throw fromRecord({ ...known, message })
    }
  }
}

async function planActor(
  ctx: OperationContext,
  kind: ActorKind,
  entry: ActorEntry,
): Promise<PlannedChange> {
  const { name } = entry
  const spec = await specNamed(ctx, kind, entry.type)
  const given = withoutReferences(entry.config) as JsonObject
  const row = await ctx.tenant.find(kind, name)
  if (!row) return { action: 'create', kind, name, changes: Object.keys(given) }
  const stored = await ctx.objects[kind](row.id).get()
  const secrets = Object.keys(splitSecrets(spec, given).secrets)
  const changes = [
    ...differences(maskSecrets(spec, given), stored.config, 'config'),
    ...secrets.map((pointer) => `config${pointer.replaceAll('/', '.')} (secret)`),
  ]
  return { action: changes.length > 0 ? 'update' : 'unchanged', kind, name, changes }
}

async function applyActor(
  ctx: OperationContext,
  kind: ActorKind,
  { name, type, config }: ActorEntry,
  planned: PlannedChange,
): Promise<void> {
  const given = withoutReferences(config) as JsonObject
  const row = planned.action === 'update' ? await ctx.tenant.find(kind, name) : null
  if (row) await updateActor(ctx, kind, row.id, { config: given })
  else await createActor(ctx, kind, { name, type, config: given })
}

async function planConnection(
  ctx: OperationContext,
  entry: ConnectionEntry,
): Promise<PlannedChange> {
  const { name, source: _s, destination: _d, schedule, ...given } = entry
  const row = await ctx.tenant.find('connection', name)
  const kind = 'connection' as const
  if (!row) return { action: 'create', kind, name, changes: Object.keys(entry) }
  const stored = await ctx.objects.connection(row.id).get()
  const changes = differences(
    { ...given, ...(schedule && { schedule: scheduleView(scheduleOf(schedule)) }) } as JsonObject,
    { ...stored, schedule: scheduleView(stored.schedule) } as unknown as JsonObject,
    '',
  )
  return { action: changes.length > 0 ? 'update' : 'unchanged', kind, name, changes }
}

async function applyConnection(
  ctx: OperationContext,
  { source, destination, status, ...input }: ConnectionEntry,
  planned: PlannedChange,
): Promise<void> {
  const row = planned.action === 'update' ? await ctx.tenant.find('connection', input.name) : null
  const id = row ? row.id : (await createByName(ctx, source, destination, input)).id
  if (row) {
    const { name: _, ...change } = input
    await updateConnection(ctx, id, change)
  }
  if (status === 'paused') await ctx.objects.connection(id).pause()
  if (status === 'active' && row?.status === 'paused') await ctx.objects.connection(id).resume()
}

async function createByName(
  ctx: OperationContext,
  source: string,
  destination: string,
  input: Omit<ConnectionEntry, 'source' | 'destination' | 'status'>,
) {
  const { op, face, caller } = { op: 'workspace.apply', face: ctx.face, caller: ctx.caller }
  const { refs } = await ctx.tenant.authorize({
    ...{ op, face, caller, allowed: true },
    refs: [
      { field: 'source', kinds: ['source'], value: source },
      { field: 'destination', kinds: ['destination'], value: destination },
    ],
  })
  const [from, to] = refs
  return createConnection(ctx, { sourceId: from?.id ?? '', destinationId: to?.id ?? '' }, input)
}

const REFERENCE = /^\$\{env:\w+\}$/

/** References that nobody filled in mean "as stored". */
function withoutReferences(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutReferences)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => !(typeof inner === 'string' && REFERENCE.test(inner)))
      .map(([key, inner]) => [key, withoutReferences(inner)]),
  )
}

/** Paths of the fields in `wanted` that `stored` has otherwise; what only `stored` has is no difference. */
function differences(wanted: JsonValue, stored: JsonValue | undefined, path: string): string[] {
  if (isObject(wanted) && isObject(stored)) {
    return Object.entries(wanted).flatMap(([key, value]) =>
      differences(value, stored[key], path ? `${path}.${key}` : key),
    )
  }
  if (Array.isArray(wanted) && Array.isArray(stored) && wanted.length === stored.length) {
    return wanted.flatMap((value, i) => differences(value, stored[i], `${path}[${i}]`))
  }
  return wanted === stored || isMaskedSecret(wanted) ? [] : [path]
}
const isMaskedSecret = (value: JsonValue) => typeof value === 'string' && /^\*{10}$/.test(value)
