import { z } from 'zod'
import { defineOperation, READ, SET } from '../src/operations/define.ts'
import { pageOf, paging, syncOutput, time } from '../src/operations/fields.ts'
import { iso, syncView } from '../src/operations/views.ts'
import { applyDocument, planDocument } from '../src/operations/workspace-apply.ts'
import { exportDocument, parseDocument } from '../src/operations/workspace-document.ts'

export const getWorkspace = defineOperation({
  id: 'workspace.get',
  tool: {
    name: 'get_workspace',
    title: 'Get workspace',
    description:
      'Overview of this workspace: how many sources, destinations and connections it has, and the latest syncs. A good first call.',
    toolset: 'explore',
  },
  title: 'Get the workspace',
  description: 'Counts, running syncs and the latest syncs of the workspace.',
  input: z.strictObject({}),
  output: z.looseObject({
    id: z.string(),
    name: z.string(),
    createdAt: time,
    counts: z.looseObject({
      sources: z.number(),
      destinations: z.number(),
      connections: z.number(),
    }),
    runningSyncs: z.number(),
    syncSlots: z.number(),
    recentSyncs: z.array(syncOutput),
    scopes: z.array(z.string()),
    now: time,
  }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/workspace' },
  cli: { command: 'workspace get', positional: [] },
  handler: async (ctx) => {
    const [workspace, recent] = await Promise.all([
      ctx.tenant.workspace(),
      ctx.tenant.syncs({ limit: 5 }),
    ])
    return {
      ...workspace,
      createdAt: iso(workspace.createdAt),
      recentSyncs: recent.items.map(syncView),
      scopes: [...ctx.caller.scopes],
      now: iso(Date.now()),
    }
  },
})

export const listAudit = defineOperation({
  id: 'workspace.audit',
  title: 'Read the audit log',
  description: 'Who called which operation on what, newest first. Arguments are never kept.',
  input: z.strictObject(paging),
  output: pageOf(z.looseObject({ seq: z.number(), at: time, subject: z.string(), op: z.string() })),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/workspace/audit' },
  cli: { command: 'workspace audit', positional: [] },
  handler: async (ctx, input) => {
    const page = await ctx.tenant.audit(input)
    return { ...page, items: page.items.map((entry) => ({ ...entry, at: iso(entry.at) })) }
  },
})

export const exportWorkspace = defineOperation({
  id: 'workspace.export',
  title: 'Export the workspace as YAML',
  description:
    'Sources, destinations and connections as one YAML document for your own git. Secrets appear as references to environment variables.',
  input: z.strictObject({}),
  output: z.looseObject({ yaml: z.string() }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/workspace/export' },
  cli: { command: 'export', positional: [] },
  handler: async (ctx) => ({ yaml: await exportDocument(ctx) }),
})

export const applyWorkspace = defineOperation({
  id: 'workspace.apply',
  title: 'Apply a YAML document to the workspace',
  description:
    'Creates and updates what the document names, by name; nothing is deleted. With dryRun only the plan is shown. References to secrets that have no value are left out, and stored secrets are kept.',
  input: z.strictObject({
    yaml: z.string().min(1).max(1_000_000),
    dryRun: z.boolean().default(false),
  }),
  output: z.looseObject({
    applied: z.boolean(),
    plan: z.array(
      z.looseObject({
        action: z.enum(['create', 'update', 'unchanged']),
        kind: z.enum(['source', 'destination', 'connection']),
        name: z.string(),
        changes: z.array(z.string()),
      }),
    ),
  }),
  scopes: ['workspace:write'],
  effect: SET,
  http: { method: 'POST', path: '/workspace/apply' },
  cli: { command: 'apply', positional: [] },
  handler: async (ctx, { yaml, dryRun }) => {
    const document = parseDocument(yaml)
    const plan = await planDocument(ctx, document)
    if (!dryRun) await applyDocument(ctx, document, plan)
    return { applied: !dryRun, plan }
  },
})
