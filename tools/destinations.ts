import { z } from 'zod'
import { checkActor, createActor, deleteActor, updateActor } from '../src/operations/actors.ts'
import { DESTROY, defineOperation, outward, READ, SET, WRITE } from '../src/operations/define.ts'
import {
  actorOutput,
  checkOutput,
  config,
  createdActorOutput,
  deletedOutput,
  entityName,
  nameOrId,
  offset,
  pageOf,
  paging,
  rowOutput,
} from '../src/operations/fields.ts'
import { actorView, rowView } from '../src/operations/views.ts'

export const createDestination = defineOperation({
  id: 'destinations.create',
  tool: {
    name: 'create_destination',
    title: 'Create destination',
    description:
      'Creates a destination from a connector (see get_connector). Leave secret fields out: the result then has status awaiting_credentials and a setupUrl for the person to open; follow it with get_setup. Then check_resource.',
    toolset: 'setup',
  },
  title: 'Create a destination',
  description:
    'Creates a destination. Where secret fields have no value, setupUrl leads to a page that takes them.',
  input: z.strictObject({
    name: entityName,
    type: nameOrId.describe('Connector name'),
    config: config.default({}),
  }),
  output: createdActorOutput,
  scopes: ['workspace:write'],
  effect: WRITE,
  http: { method: 'POST', path: '/destinations' },
  cli: { command: 'destinations create', positional: ['name', 'type'] },
  handler: async (ctx, input) => {
    const { setupUrl, setupId, expiresAt, ...record } = await createActor(ctx, 'destination', input)
    return { ...actorView('destination', record), setupUrl, setupId, expiresAt }
  },
})

export const getDestination = defineOperation({
  id: 'destinations.get',
  title: 'Get a destination',
  description: 'A destination with its config; secrets are masked.',
  input: z.strictObject({ destination: nameOrId }),
  output: actorOutput,
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/destinations/:destination' },
  cli: { command: 'destinations get', positional: ['destination'] },
  refs: { destination: 'destination' },
  handler: async (ctx, { destination }) =>
    actorView('destination', await ctx.objects.destination(destination).get()),
})

export const listDestinations = defineOperation({
  id: 'destinations.list',
  title: 'List destinations',
  description: 'Destinations of the workspace, oldest first.',
  input: z.strictObject({ type: z.string().optional(), ...paging, offset }),
  output: pageOf(rowOutput),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/destinations' },
  cli: { command: 'destinations list', positional: [] },
  handler: async (ctx, query) => {
    const page = await ctx.tenant.list({ ...query, kind: 'destination' })
    return { ...page, items: page.items.map(rowView) }
  },
})

export const updateDestination = defineOperation({
  id: 'destinations.update',
  title: 'Update a destination',
  description:
    'Renames a destination or merges into its config; secrets left out keep their value, null takes a field away.',
  input: z.strictObject({
    destination: nameOrId,
    name: entityName.optional(),
    config: config.optional(),
  }),
  output: createdActorOutput,
  scopes: ['workspace:write'],
  effect: SET,
  http: { method: 'PATCH', path: '/destinations/:destination' },
  cli: { command: 'destinations update', positional: ['destination'] },
  refs: { destination: 'destination' },
  handler: async (ctx, { destination, ...change }) => {
    const { setupUrl, setupId, expiresAt, ...record } = await updateActor(
      ctx,
      'destination',
      destination,
      change,
    )
    return { ...actorView('destination', record), setupUrl, setupId, expiresAt }
  },
})

export const deleteDestination = defineOperation({
  id: 'destinations.delete',
  title: 'Delete a destination',
  description: 'Deletes a destination and its credentials. Refused while connections use it.',
  input: z.strictObject({ destination: nameOrId, confirm: z.string().optional() }),
  output: deletedOutput,
  scopes: ['workspace:delete'],
  effect: DESTROY,
  http: { method: 'DELETE', path: '/destinations/:destination' },
  cli: { command: 'destinations delete', positional: ['destination'] },
  refs: { destination: 'destination' },
  handler: (ctx, { confirm }) => deleteActor(ctx, 'destination', ctx.refs.destination, confirm),
})

export const checkDestination = defineOperation({
  id: 'destinations.check',
  title: 'Check a destination',
  description: 'Connects with the stored credentials and says what is wrong, if anything.',
  input: z.strictObject({ destination: nameOrId }),
  output: checkOutput,
  scopes: ['sync:run'],
  effect: outward(READ),
  http: { method: 'POST', path: '/destinations/:destination/check' },
  cli: { command: 'destinations check', positional: ['destination'] },
  refs: { destination: 'destination' },
  handler: (ctx, { destination }) => checkActor(ctx, 'destination', destination),
})
