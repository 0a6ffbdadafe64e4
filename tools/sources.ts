import { z } from 'zod'
import { checkActor, createActor, deleteActor, updateActor } from '../src/operations/actors.ts'
import { DESTROY, defineOperation, outward, READ, SET, WRITE } from '../src/operations/define.ts'
import { discoverStreams } from '../src/operations/discover.ts'
import {
  actorOutput,
  checkOutput,
  config,
  createdActorOutput,
  deletedOutput,
  entityName,
  flag,
  nameOrId,
  offset,
  pageOf,
  paging,
  rowOutput,
  time,
} from '../src/operations/fields.ts'
import { actorView, rowView } from '../src/operations/views.ts'

export const createSource = defineOperation({
  id: 'sources.create',
  tool: {
    name: 'create_source',
    title: 'Create source',
    description:
      'Creates a source from a connector (see get_connector). Leave secret fields out: the result then has status awaiting_credentials and a setupUrl for the person to open; follow it with get_setup. Then check_resource.',
    toolset: 'setup',
  },
  title: 'Create a source',
  description:
    'Creates a source. Where secret fields have no value, setupUrl leads to a page that takes them.',
  input: z.strictObject({
    name: entityName,
    type: nameOrId.describe('Connector name'),
    config: config.default({}),
  }),
  output: createdActorOutput,
  scopes: ['workspace:write'],
  effect: WRITE,
  http: { method: 'POST', path: '/sources' },
  cli: { command: 'sources create', positional: ['name', 'type'] },
  handler: async (ctx, input) => {
    const { setupUrl, setupId, expiresAt, ...record } = await createActor(ctx, 'source', input)
    return { ...actorView('source', record), setupUrl, setupId, expiresAt }
  },
})

export const getSource = defineOperation({
  id: 'sources.get',
  title: 'Get a source',
  description: 'A source with its config; secrets are masked.',
  input: z.strictObject({ source: nameOrId }),
  output: actorOutput,
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/sources/:source' },
  cli: { command: 'sources get', positional: ['source'] },
  refs: { source: 'source' },
  handler: async (ctx, { source }) => actorView('source', await ctx.objects.source(source).get()),
})

export const listSources = defineOperation({
  id: 'sources.list',
  title: 'List sources',
  description: 'Sources of the workspace, oldest first.',
  input: z.strictObject({ type: z.string().optional(), ...paging, offset }),
  output: pageOf(rowOutput),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/sources' },
  cli: { command: 'sources list', positional: [] },
  handler: async (ctx, query) => {
    const page = await ctx.tenant.list({ ...query, kind: 'source' })
    return { ...page, items: page.items.map(rowView) }
  },
})

export const updateSource = defineOperation({
  id: 'sources.update',
  title: 'Update a source',
  description:
    'Renames a source or merges into its config; secrets left out keep their value, null takes a field away.',
  input: z.strictObject({
    source: nameOrId,
    name: entityName.optional(),
    config: config.optional(),
  }),
  output: createdActorOutput,
  scopes: ['workspace:write'],
  effect: SET,
  http: { method: 'PATCH', path: '/sources/:source' },
  cli: { command: 'sources update', positional: ['source'] },
  refs: { source: 'source' },
  handler: async (ctx, { source, ...change }) => {
    const { setupUrl, setupId, expiresAt, ...record } = await updateActor(
      ctx,
      'source',
      source,
      change,
    )
    return { ...actorView('source', record), setupUrl, setupId, expiresAt }
  },
})

export const deleteSource = defineOperation({
  id: 'sources.delete',
  title: 'Delete a source',
  description: 'Deletes a source and its credentials. Refused while connections use it.',
  input: z.strictObject({ source: nameOrId, confirm: z.string().optional() }),
  output: deletedOutput,
  scopes: ['workspace:delete'],
  effect: DESTROY,
  http: { method: 'DELETE', path: '/sources/:source' },
  cli: { command: 'sources delete', positional: ['source'] },
  refs: { source: 'source' },
  handler: (ctx, { confirm }) => deleteActor(ctx, 'source', ctx.refs.source, confirm),
})

export const checkSource = defineOperation({
  id: 'sources.check',
  title: 'Check a source',
  description: 'Connects with the stored credentials and says what is wrong, if anything.',
  input: z.strictObject({ source: nameOrId }),
  output: checkOutput,
  scopes: ['sync:run'],
  effect: outward(READ),
  http: { method: 'POST', path: '/sources/:source/check' },
  cli: { command: 'sources check', positional: ['source'] },
  refs: { source: 'source' },
  handler: (ctx, { source }) => checkActor(ctx, 'source', source),
})

export const discoverSource = defineOperation({
  id: 'sources.discover',
  tool: {
    name: 'discover_streams',
    title: 'Discover streams',
    description:
      'Streams (tables, API resources) of a source with keys, cursors and sync modes. Pass stream for the columns of one. The catalog is cached; refresh reads it again.',
    toolset: 'pipelines',
  },
  title: 'Discover the streams of a source',
  description: 'Streams with keys, cursors, modes and, with schemas, their JSON Schema.',
  input: z.strictObject({
    source: nameOrId,
    stream: z.string().max(300).optional(),
    query: z.string().max(100).optional().describe('Part of a stream name'),
    refresh: flag.optional(),
    schemas: flag.optional().describe('JSON Schema of each stream'),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
    cursor: z.string().max(200).optional(),
  }),
  output: z.looseObject({
    streams: z.array(
      z.looseObject({ name: z.string(), syncModes: z.array(z.string()), fieldCount: z.number() }),
    ),
    total: z.number(),
    cursor: z.string().optional(),
    discoveredAt: time,
  }),
  scopes: ['workspace:read'],
  effect: outward(READ),
  http: { method: 'POST', path: '/sources/:source/discover' },
  cli: { command: 'sources discover', positional: ['source'] },
  refs: { source: 'source' },
  handler: (ctx, { source, ...query }) => discoverStreams(ctx, source, query),
})
