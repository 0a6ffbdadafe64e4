/** Operations on a source, destination or connection by name or id, whichever it is. */
import { z } from 'zod'
import {
  checkActor,
  deleteActor,
  requireConfirmation,
  setupLink,
  updateActor,
} from '../src/operations/actors.ts'
import { deleteConnection } from '../src/operations/connections.ts'
import { removeConnector } from '../src/operations/connectors/import.ts'
import { DESTROY, defineOperation, outward, READ, SET } from '../src/operations/define.ts'
import {
  checkOutput,
  config,
  createdActorOutput,
  deletedOutput,
  entityName,
  nameOrId,
  pageOf,
  paging,
  rowOutput,
  verifyLevel,
  verifyOutput,
} from '../src/operations/fields.ts'
import { actorView, connectionView, rowView, syncView } from '../src/operations/views.ts'

const ANY = ['source', 'destination', 'connection'] as const
const ACTOR = ['source', 'destination'] as const
const DELETABLE = [...ANY, 'connector'] as const
const RECENT_SYNCS = 5
const id = nameOrId.describe('Id or name')

export const listResources = defineOperation({
  id: 'resources.list',
  tool: {
    name: 'list_resources',
    title: 'List resources',
    description:
      'Sources, destinations and connections of the workspace with status; connections also with next run and latest sync.',
    toolset: 'explore',
  },
  title: 'List resources',
  description: 'Sources, destinations and connections with status.',
  input: z.strictObject({
    kind: z.enum(ANY).optional(),
    status: z.enum(['awaiting_credentials', 'active', 'paused']).optional(),
    ...paging,
  }),
  output: pageOf(rowOutput),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/resources' },
  cli: { command: 'resources list', positional: [] },
  handler: async (ctx, query) => {
    const page = await ctx.tenant.list(query)
    return { ...page, items: page.items.map(rowView) }
  },
})

export const getResource = defineOperation({
  id: 'resources.get',
  tool: {
    name: 'get_resource',
    title: 'Get resource',
    description:
      'One source, destination or connection in full: config (secrets masked), streams, schedule, recent syncs.',
    toolset: 'explore',
  },
  title: 'Get a resource',
  description: 'One source, destination or connection in full; secrets are masked.',
  input: z.strictObject({ id }),
  output: z.looseObject({
    id: z.string(),
    kind: z.enum(ANY),
    name: z.string(),
    status: z.string(),
  }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/resources/:id' },
  cli: { command: 'resources get', positional: ['id'] },
  refs: { id: ANY },
  handler: async (ctx, input) => {
    const { kind } = ctx.refs.id
    if (kind === 'connection') {
      const [record, { items }] = await Promise.all([
        ctx.objects.connection(input.id).get(),
        ctx.tenant.syncs({ connectionId: input.id, limit: RECENT_SYNCS }),
      ])
      return { ...connectionView(record), recentSyncs: items.map(syncView) }
    }
    const actor = kind === 'source' ? ('source' as const) : ('destination' as const)
    return actorView(actor, await ctx.objects[actor](input.id).get())
  },
})

export const updateResource = defineOperation({
  id: 'resources.update',
  tool: {
    name: 'update_resource',
    title: 'Update source or destination',
    description:
      'Renames a source or destination or merges fields into its config. Secrets are not passed here: with enterCredentials the result has a setupUrl for the person. For connections use update_connection.',
    toolset: 'setup',
  },
  title: 'Update a source or destination',
  description:
    'Renames it or merges into its config; enterCredentials makes a link to enter secrets anew.',
  input: z.strictObject({
    id,
    name: entityName.optional(),
    config: config.optional(),
    enterCredentials: z.boolean().optional(),
  }),
  output: createdActorOutput,
  scopes: ['workspace:write'],
  effect: SET,
  http: { method: 'PATCH', path: '/resources/:id' },
  cli: { command: 'resources update', positional: ['id'] },
  refs: { id: ACTOR },
  handler: async (ctx, { id: actorId, enterCredentials, ...change }) => {
    const kind = ctx.refs.id.kind === 'source' ? 'source' : 'destination'
    const { setupUrl, setupId, expiresAt, ...record } = await updateActor(
      ctx,
      kind,
      actorId,
      change,
    )
    const asked = enterCredentials && !setupUrl
    const link = asked ? await setupLink(ctx, kind, record, true) : { setupUrl, setupId, expiresAt }
    return { ...actorView(kind, record), ...link }
  },
})

export const deleteResource = defineOperation({
  id: 'resources.delete',
  tool: {
    name: 'delete_resource',
    title: 'Delete resource',
    description:
      'Deletes a source, destination, connection or imported connector. Refused while others use it. Rows in the destination stay. confirm is the name of what is deleted.',
    toolset: 'setup',
  },
  title: 'Delete a resource',
  description: 'Deletes a source, destination, connection or imported connector; loaded rows stay.',
  input: z.strictObject({ id, confirm: z.string().optional() }),
  output: deletedOutput,
  scopes: ['workspace:delete'],
  effect: DESTROY,
  http: { method: 'DELETE', path: '/resources/:id' },
  cli: { command: 'resources delete', positional: ['id'] },
  refs: { id: DELETABLE },
  handler: async (ctx, { id: resourceId, confirm }) => {
    const { kind, name } = ctx.refs.id
    if (kind === 'source' || kind === 'destination') {
      return deleteActor(ctx, kind, ctx.refs.id, confirm)
    }
    requireConfirmation(ctx, `${kind} '${name}'`, name, confirm)
    if (kind === 'connector') await removeConnector(ctx, resourceId)
    else await deleteConnection(ctx, resourceId)
    return { id: resourceId, deleted: true as const }
  },
})

export const checkResource = defineOperation({
  id: 'resources.check',
  tool: {
    name: 'check_resource',
    title: 'Check resource',
    description:
      'Connects to a source or destination with its stored credentials; says what is wrong and what to do, if anything. Of a connection it reads the destination back and compares it with the latest sync: row counts, or with level hash every value.',
    toolset: 'setup',
  },
  title: 'Check a source, destination or connection',
  description:
    'Connects with the stored credentials and says what is wrong, if anything; of a connection compares the destination with what the latest sync loaded.',
  input: z.strictObject({ id, level: verifyLevel.optional() }),
  output: z.looseObject({ ...checkOutput.shape, ...verifyOutput.partial().shape }),
  scopes: ['sync:run'],
  effect: outward(READ),
  http: { method: 'POST', path: '/resources/:id/check' },
  cli: { command: 'check', positional: ['id'] },
  refs: { id: ANY },
  handler: async (ctx, { id: resourceId, level = 'count' }) => {
    const { kind } = ctx.refs.id
    if (kind === 'connection') return ctx.objects.connection(resourceId).verify({ level })
    return checkActor(ctx, kind === 'source' ? 'source' : 'destination', resourceId)
  },
})
