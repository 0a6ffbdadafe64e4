/** The workspace's own connectors: manifests that somebody brought. */
import { z } from 'zod'
import { searchConnectors } from '../src/core/connector-registry.ts'
import { readManifest, readText } from '../src/durable-object/manifest-store.ts'
import { requireConfirmation } from '../src/operations/actors.ts'
import { importConnector, removeConnector } from '../src/operations/connectors/import.ts'
import { upgradeConnector } from '../src/operations/connectors/upgrade.ts'
import { connectorView, releaseView, streamsView } from '../src/operations/connectors/view.ts'
import { DESTROY, defineOperation, outward, READ, WRITE } from '../src/operations/define.ts'
import { deletedOutput, flag, nameOrId, time } from '../src/operations/fields.ts'
import { inspectManifest } from '../src/runtime/declarative/index.ts'

const MAX_TEXT = 4 * 1024 * 1024
const version = z
  .string()
  .regex(/^[\w.+-]{1,60}$/)
  .optional()

/** Not for a model, which names a place: the texts would pass through its context. */
const byFile = { 'x-advanced': true } as const
const source = {
  from: z
    .string()
    .trim()
    .min(1)
    .max(1000)
    .optional()
    .describe('source-name of the registry, URL, or github:owner/repo@ref:path/manifest.yaml'),
  version: version.describe('Default: the latest'),
  manifest: z.string().min(1).max(MAX_TEXT).optional().describe('YAML, instead of from'),
  metadata: z
    .string()
    .max(256 * 1024)
    .optional()
    .meta({ ...byFile, description: 'metadata.yaml that belongs to it' }),
  components: z
    .string()
    .max(1024 * 1024)
    .optional()
    .meta({ ...byFile, description: 'components.py, kept to be shown; it never runs' }),
  license: z.string().max(100).optional().describe('Where no metadata says it; own: your own work'),
  acceptLicense: z.string().max(100).optional().describe('Name of a licence that is not free'),
}

const release = z.looseObject({
  version: z.string(),
  license: z.string(),
  contentHash: z.string(),
  origin: z.looseObject({ from: z.enum(['text', 'url', 'git', 'registry']) }),
})
const connector = z.looseObject({
  ...release.shape,
  id: z.string(),
  kind: z.literal('source'),
  name: z.string(),
  title: z.string(),
  evidence: z.string(),
  shadows: z.boolean(),
  createdAt: time,
  updatedAt: time,
})
const streams = z.looseObject({
  runs: z.array(z.string()),
  refused: z.array(z.looseObject({ name: z.string(), reason: z.string() })),
})

export const importOne = defineOperation({
  id: 'connectors.import',
  tool: {
    name: 'import_connector',
    title: 'Import connector',
    description:
      "Adds a source connector to this workspace from an Airbyte low-code manifest. Shows version, licence and which streams run. A licence that is not free needs the operator's leave and the person's consent (acceptLicense). Then create_source with its name as type.",
    toolset: 'setup',
  },
  title: 'Import a connector',
  description:
    'Adds a source connector to the workspace from an Airbyte low-code manifest: by name from the registry, from a URL, from a git reference, or as text. Its licence is read from its metadata.',
  input: z.strictObject({
    ...source,
    name: z.string().max(63).optional().describe('Default: that of its metadata'),
    shadow: flag.default(false).describe('May replace a built-in connector for new sources'),
  }),
  output: z.looseObject({ ...connector.shape, streams }),
  scopes: ['workspace:write'],
  effect: outward(WRITE),
  http: { method: 'POST', path: '/connectors' },
  cli: { command: 'connectors import', positional: ['from'] },
  handler: async (ctx, input) => {
    const { connector: made, candidate } = await importConnector(ctx, input)
    return { ...connectorView(made), streams: streamsView(candidate.report) }
  },
})

export const upgradeOne = defineOperation({
  id: 'connectors.upgrade',
  title: 'Upgrade a connector',
  description:
    'Shows what another release of an imported connector changes, for better or worse; with the hash of that plan, does it. Running syncs end with the release that they began with.',
  input: z.strictObject({
    connector: nameOrId,
    ...source,
    plan: z.string().max(64).optional().describe('Of the call before'),
  }),
  output: z.looseObject({
    applied: z.boolean(),
    plan: z.string(),
    connector: z.looseObject({ id: z.string(), name: z.string() }),
    from: z.looseObject({ version: z.string(), license: z.string(), contentHash: z.string() }),
    to: z.looseObject({ version: z.string(), license: z.string(), contentHash: z.string() }),
    direction: z.enum(['upgrade', 'downgrade', 'change', 'none']),
    spec: z
      .looseObject({
        added: z.array(z.looseObject({ path: z.string(), required: z.boolean() })),
        removed: z.array(z.string()),
        nowRequired: z.array(z.string()),
        nowSecret: z.array(z.string()),
      })
      .optional(),
    breakingChanges: z.array(z.looseObject({ version: z.string(), message: z.string() })),
    usedBy: z.looseObject({
      sources: z.array(z.looseObject({ name: z.string(), problems: z.array(z.string()) })),
      connections: z.array(z.looseObject({ name: z.string(), lost: z.array(z.string()) })),
    }),
    credentials: z.enum(['kept', 'entered again']),
  }),
  scopes: ['workspace:write'],
  effect: outward(DESTROY),
  http: { method: 'POST', path: '/connectors/:connector/upgrade' },
  cli: { command: 'connectors upgrade', positional: ['connector'] },
  refs: { connector: 'connector' },
  handler: (ctx, { connector: id, ...input }) => upgradeConnector(ctx, id, input),
})

export const listOwn = defineOperation({
  id: 'connectors.list',
  title: 'List imported connectors',
  description: "The workspace's own connectors, by name.",
  input: z.strictObject({ query: z.string().max(100).optional() }),
  output: z.looseObject({ items: z.array(connector), total: z.number() }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/connectors' },
  cli: { command: 'connectors list', positional: ['query'] },
  handler: async (ctx, { query = '' }) => {
    const own = await ctx.tenant.connectors()
    const found = searchConnectors(
      own.map((one) => ({ one, info: one.release.pin.info })),
      query,
    )
    const items = found.map(({ one }) => connectorView(one))
    return { items, total: items.length }
  },
})

export const getOwn = defineOperation({
  id: 'connectors.get',
  title: 'Get an imported connector',
  description:
    'A connector of the workspace with its releases and which of its streams run; with texts also its manifest and the Python that came along, which is never run.',
  input: z.strictObject({ connector: nameOrId, texts: flag.optional() }),
  output: z.looseObject({
    ...connector.shape,
    streams,
    releases: z.array(release),
    manifest: z.string().optional(),
    components: z.string().optional(),
  }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/connectors/:connector' },
  cli: { command: 'connectors get', positional: ['connector'] },
  refs: { connector: 'connector' },
  handler: async (ctx, { connector: id, texts }) => {
    const [own, releases] = await Promise.all([ctx.tenant.connector(id), ctx.tenant.releases(id)])
    const { pin, components: hash } = own.release
    const manifest = await readManifest(ctx.staging, pin)
    const components = texts && hash ? await readText(ctx.staging, id, hash) : null
    return {
      ...connectorView(own),
      streams: streamsView(await inspectManifest(manifest, pin.ranWith)),
      releases: releases.map(releaseView),
      ...(texts && { manifest }),
      ...(components !== null && { components }),
    }
  },
})

export const removeOwn = defineOperation({
  id: 'connectors.remove',
  title: 'Remove an imported connector',
  description: 'Removes a connector of the workspace. Refused while sources use it.',
  input: z.strictObject({ connector: nameOrId, confirm: z.string().optional() }),
  output: deletedOutput,
  scopes: ['workspace:delete'],
  effect: DESTROY,
  http: { method: 'DELETE', path: '/connectors/:connector' },
  cli: { command: 'connectors remove', positional: ['connector'] },
  refs: { connector: 'connector' },
  handler: async (ctx, { connector: id, confirm }) => {
    const { name } = ctx.refs.connector
    requireConfirmation(ctx, `connector '${name}'`, name, confirm)
    await removeConnector(ctx, id)
    return { id, deleted: true as const }
  },
})
