import { z } from 'zod'
import { findConnector, listDestinations, listSources } from '../src/operations/catalog.ts'
import { defineOperation, READ } from '../src/operations/define.ts'
import { flag, paging } from '../src/operations/fields.ts'
import { flattenSpec } from '../src/operations/spec-fields.ts'

const kind = z.enum(['source', 'destination'])
const item = z.looseObject({
  kind,
  name: z.string(),
  title: z.string(),
  definitionId: z.string(),
  version: z.string(),
  evidence: z.string(),
  origin: z.enum(['built-in', 'imported']),
  license: z.string(),
})

export const searchConnectors = defineOperation({
  id: 'catalog.search',
  tool: {
    name: 'search_connectors',
    title: 'Search connectors',
    description:
      'Finds connectors by name. Use get_connector for the fields one needs. evidence says how it was proven.',
    toolset: 'explore',
  },
  title: 'Search the catalog',
  description: 'Connectors by name; without a query, all.',
  input: z.strictObject({
    query: z.string().max(100).optional(),
    kind: kind.optional(),
    ...paging,
  }),
  output: z.looseObject({
    items: z.array(item),
    total: z.number(),
    cursor: z.string().optional(),
  }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/catalog' },
  cli: { command: 'catalog search', positional: ['query'] },
  handler: async (ctx, { query, kind: only, limit, cursor }) => {
    const all = [
      ...(only === 'destination' ? [] : await listSources(ctx, query)),
      ...(only === 'source' ? [] : listDestinations(ctx, query)),
    ]
    const start = Number(cursor ?? 0) || 0
    const next = start + limit
    return {
      items: all.slice(start, next),
      total: all.length,
      ...(next < all.length && { cursor: String(next) }),
    }
  },
})

export const getConnector = defineOperation({
  id: 'catalog.get',
  tool: {
    name: 'get_connector',
    title: 'Get connector',
    description:
      'The config fields of one connector, flattened: path, type, required, secret, choices, default. Fields marked secret are entered by the person on a page, never passed here.',
    toolset: 'explore',
  },
  title: 'Get a connector',
  description: 'A connector with its config fields, capabilities and, with spec, its JSON Schema.',
  input: z.strictObject({
    name: z.string().min(1).max(100),
    kind,
    spec: flag.optional().describe('Include the JSON Schema'),
  }),
  output: z.looseObject({
    ...item.shape,
    fields: z.array(
      z.looseObject({
        path: z.string(),
        type: z.string(),
        required: z.boolean(),
        secret: z.boolean(),
      }),
    ),
    capabilities: z.looseObject({}),
  }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/catalog/:kind/:name' },
  cli: { command: 'catalog get', positional: ['kind', 'name'] },
  handler: async (ctx, { name, kind: what, spec }) => {
    const { connector, entry } = await findConnector(ctx, what, name)
    const full = connector.spec()
    return {
      ...entry,
      fields: flattenSpec(full.connectionSpecification),
      capabilities: { ...connector.capabilities },
      ...(spec && { spec: { ...full } }),
    }
  },
})

const listing = (what: 'source' | 'destination') => ({
  title: `List ${what} connectors`,
  description: `Every ${what} connector of the catalog.`,
  input: z.strictObject({ query: z.string().max(100).optional() }),
  output: z.looseObject({ items: z.array(item), total: z.number() }),
  scopes: ['workspace:read' as const],
  effect: READ,
  http: { method: 'GET' as const, path: `/catalog/${what}` },
  cli: { command: `catalog ${what}s`, positional: ['query'] },
})

export const listSourceConnectors = defineOperation({
  ...listing('source'),
  id: 'catalog.sources.list',
  handler: async (ctx, { query }) => {
    const items = await listSources(ctx, query)
    return { items, total: items.length }
  },
})

export const listDestinationConnectors = defineOperation({
  ...listing('destination'),
  id: 'catalog.destinations.list',
  handler: async (ctx, { query }) => {
    const items = listDestinations(ctx, query)
    return { items, total: items.length }
  },
})
