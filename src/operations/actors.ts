/** What sources and destinations have in common; the operations of both are made of these. */
import { validateConfig } from '../core/config-validation.ts'
import type {
  ActorCreate,
  ActorRecord,
  ConnectorPin,
  DestinationApi,
  SourceApi,
} from '../durable-object/rpc.ts'
import { AirbyteError, fromRecord, type JsonObject, type JsonSchema } from '../protocol/index.ts'
import type { Destination, Source } from '../runtime/contract.ts'
import { MASK, secretPaths, updateSecrets } from '../vault/index.ts'
import type { OperationContext } from './define.ts'
import { runConnector } from './run-connector.ts'
import { iso } from './views.ts'

export type ActorKind = 'source' | 'destination'

export interface ConnectorKinds {
  source: Source
  destination: Destination
}

export const actorObject = (
  ctx: OperationContext,
  kind: ActorKind,
  id: string,
): SourceApi | DestinationApi => ctx.objects[kind](id)

/** The connector that a name means in this workspace. */
async function connectorNamed(
  ctx: OperationContext,
  kind: ActorKind,
  name: string,
): Promise<{ connector: Source | Destination; pin?: ConnectorPin }> {
  if (kind === 'destination') return { connector: ctx.registries.destinations.get(name) }
  const { connector, own } = await ctx.registries.sources.get(name)
  return { connector, pin: own?.release.pin }
}

/** The connector of a source or destination that exists, at the release it is pinned to. */
export async function connectorOf<K extends ActorKind>(
  ctx: OperationContext,
  kind: K,
  record: Pick<ActorRecord, 'type' | 'connector'>,
): Promise<ConnectorKinds[K]> {
  const { sources, destinations } = ctx.registries
  const found = kind === 'source' ? await sources.of(record) : destinations.get(record.type)
  return found as ConnectorKinds[K]
}

/** The form of a config, by the name of its connector. */
export const specNamed = async (ctx: OperationContext, kind: ActorKind, name: string) =>
  (await connectorNamed(ctx, kind, name)).connector.spec().connectionSpecification

/** Where a person enters what is missing. */
export interface SetupLink {
  setupId: string
  setupUrl: string
  expiresAt: string
}

/**
 * Creates the index row, the object, and where secrets are missing the link to enter them.
 * @throws CONNECTOR_NOT_FOUND, VALIDATION_FAILED, NAME_TAKEN
 */
export async function createActor(
  ctx: OperationContext,
  kind: ActorKind,
  input: { name: string; type: string; config: JsonObject },
): Promise<ActorRecord & Partial<SetupLink>> {
  const { connector, pin } = await connectorNamed(ctx, kind, input.type)
  const spec = connector.spec().connectionSpecification
  const config = validateConfig(spec, input.config, { ignoreSecrets: true })
  const named = { name: input.name, type: connector.info.name }
  const { id } = await ctx.tenant.reserve({ kind, ...named, connectorId: pin?.connectorId })
  const release = pin && { pin, spec }
  const record = await created(ctx, kind, { id, ...named, config, release })
  await ctx.tenant.activate(id, { status: record.status })
  const anew = ctx.face === 'mcp' && mayNeedSecrets(spec, record.config)
  return { ...record, ...(await setupLink(ctx, kind, record, anew)) }
}

/**
 * A password is often optional in a spec (a database may trust the address), and a model cannot
 * pass it: the person gets the page unless there is nothing to enter.
 */
const mayNeedSecrets = (spec: JsonSchema, config: JsonObject) =>
  secretPaths(spec).length > 0 && !JSON.stringify(config).includes(MASK)

/** The object, or nothing of it and the name free again. */
async function created(
  ctx: OperationContext,
  kind: ActorKind,
  input: Omit<ActorCreate, 'tenantId'>,
): Promise<ActorRecord> {
  const object = actorObject(ctx, kind, input.id)
  try {
    return await object.create({ tenantId: ctx.tenantId, ...input })
  } catch (error) {
    await object.destroy()
    await ctx.tenant.release(input.id)
    throw error
  }
}

/** Nothing when no credential is missing, unless `anew` asks to enter them again. */
export async function setupLink(
  ctx: OperationContext,
  kind: ActorKind,
  record: ActorRecord,
  anew = false,
): Promise<SetupLink | undefined> {
  if (record.status === 'active' && !anew) return undefined
  const { id: entityId, name, type: connector } = record
  const setup = await ctx.setups.create({ entity: kind, entityId, name, connector })
  const { setupId, setupUrl, expiresAt } = setup
  return { setupId, setupUrl, expiresAt: iso(expiresAt) }
}

/** Merges `config` into the stored one; secrets left out or masked keep their value. */
export async function updateActor(
  ctx: OperationContext,
  kind: ActorKind,
  id: string,
  change: { name?: string; config?: JsonObject },
): Promise<ActorRecord & Partial<SetupLink>> {
  const object = actorObject(ctx, kind, id)
  const before = await object.get()
  const { name } = change
  const config = change.config && (await checkedMerge(ctx, kind, before, change.config))
  const renamed = name !== undefined && name !== before.name
  if (renamed) await ctx.tenant.touch(id, { name })
  const record = await updated(ctx, object, before, { name, config }, renamed)
  await ctx.tenant.touch(id, { status: record.status })
  return { ...record, ...(await setupLink(ctx, kind, record)) }
}

async function checkedMerge(
  ctx: OperationContext,
  kind: ActorKind,
  before: ActorRecord,
  change: JsonObject,
): Promise<JsonObject> {
  const connector = await connectorOf(ctx, kind, before)
  const spec = connector.spec().connectionSpecification
  const { visible } = updateSecrets(spec, { visible: before.config, secrets: {} }, change)
  validateConfig(spec, visible, { ignoreSecrets: true })
  return change
}

async function updated(
  ctx: OperationContext,
  object: SourceApi | DestinationApi,
  before: ActorRecord,
  change: { name?: string; config?: JsonObject },
  renamed: boolean,
): Promise<ActorRecord> {
  try {
    return await object.update(change)
  } catch (error) {
    if (renamed) await ctx.tenant.touch(before.id, { name: before.name })
    throw error
  }
}

/** Tombstone, object, row; IN_USE while connections need it. */
export async function deleteActor(
  ctx: OperationContext,
  kind: ActorKind,
  ref: { id: string; name: string },
  confirm: string | undefined,
) {
  requireConfirmation(ctx, `${kind} '${ref.name}'`, ref.name, confirm)
  await ctx.tenant.bury(ref.id)
  await actorObject(ctx, kind, ref.id).destroy()
  await ctx.tenant.forget(ref.id)
  return { id: ref.id, deleted: true as const }
}

/** A model must repeat the name of what it destroys; people and programs need not. */
export function requireConfirmation(
  ctx: OperationContext,
  what: string,
  name: string,
  confirm: string | undefined,
): void {
  if (ctx.face !== 'mcp' || confirm === name) return
  throw new AirbyteError('CONFIRMATION_REQUIRED', `This deletes or erases the ${what}.`, {
    field: 'confirm',
    hint: `If the person wants that, call again with confirm: ${JSON.stringify(name)}.`,
  })
}

/** Tries the credentials and rights; a problem found is a result, not an error. */
export async function checkActor(ctx: OperationContext, kind: ActorKind, id: string) {
  const { ok, problem } = await runConnector(ctx, kind, id, ({ connector, context, config }) =>
    connector.check(context, config),
  )
  return { ok, ...(problem && { problem: fromRecord(problem).toJSON() }) }
}
