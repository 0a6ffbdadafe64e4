import { z } from 'zod'
import { requireConfirmation } from '../src/operations/actors.ts'
import {
  createConnection,
  deleteConnection,
  updateConnection,
} from '../src/operations/connections.ts'
import { DESTROY, defineOperation, outward, READ, SET, WRITE } from '../src/operations/define.ts'
import {
  connectionOutput,
  connectionSettings,
  deletedOutput,
  entityName,
  flag,
  nameOrId,
  offset,
  pageOf,
  paging,
  planOutput,
  rowOutput,
  schedule,
  schemaChangesOutput,
  streamChoice,
} from '../src/operations/fields.ts'
import { logLagOf } from '../src/operations/log-lag.ts'
import { planChange, requireChangePlan } from '../src/operations/plan/change.ts'
import { planConnection } from '../src/operations/plan/index.ts'
import { schemaChangesOf } from '../src/operations/schema-changes.ts'
import { connectionView, rowView } from '../src/operations/views.ts'

const connection = nameOrId

const connectionInput = {
  name: entityName,
  source: nameOrId,
  destination: nameOrId,
  streams: z.array(streamChoice).min(1).max(10_000).optional(),
  schedule: schedule.optional(),
  ...connectionSettings,
}

export const plan = defineOperation({
  id: 'connections.plan',
  tool: {
    name: 'plan_connection',
    title: 'Plan connection',
    description:
      'Shows what create_connection would do, and changes nothing: target tables, columns, DDL, modes, estimated rows and cost, warnings. Show it to the person, then pass its planHash.',
    toolset: 'pipelines',
  },
  title: 'Plan a connection',
  description:
    'What creating it would do: tables, columns, statements, estimated rows and cost, warnings. Nothing is changed; creating with the planHash is refused once anything differs.',
  input: z.strictObject(connectionInput),
  output: planOutput,
  scopes: ['sync:run'],
  effect: outward(READ),
  http: { method: 'POST', path: '/connections/plan' },
  cli: { command: 'connections plan', positional: ['name', 'source', 'destination'] },
  refs: { source: 'source', destination: 'destination' },
  handler: (ctx, { source, destination, ...input }) =>
    planConnection(ctx, { sourceId: source, destinationId: destination }, input),
})

export const create = defineOperation({
  id: 'connections.create',
  tool: {
    name: 'create_connection',
    title: 'Create connection',
    description:
      'Connects a source to a destination. Without streams: all, full refresh. Plan first: with its planHash it is refused if anything changed since. Then run_sync.',
    toolset: 'pipelines',
  },
  title: 'Create a connection',
  description:
    'Connects a source to a destination. Without streams all are synced by full refresh; without a schedule syncs are started by hand. With the planHash of a plan it is refused if anything changed since.',
  input: z.strictObject({ ...connectionInput, planHash: z.string().max(200).optional() }),
  output: connectionOutput,
  scopes: ['workspace:write'],
  effect: outward(WRITE),
  http: { method: 'POST', path: '/connections' },
  cli: { command: 'connections create', positional: ['name', 'source', 'destination'] },
  refs: { source: 'source', destination: 'destination' },
  handler: async (ctx, { source, destination, planHash, ...input }) => {
    const ends = { sourceId: source, destinationId: destination }
    return connectionView(await createConnection(ctx, ends, input, planHash))
  },
})

export const get = defineOperation({
  id: 'connections.get',
  title: 'Get a connection',
  description: 'A connection with its streams, schedule and latest sync.',
  input: z.strictObject({ connection }),
  output: connectionOutput,
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/connections/:connection' },
  cli: { command: 'connections get', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, input) =>
    connectionView(await ctx.objects.connection(input.connection).get()),
})

export const schemaChanges = defineOperation({
  id: 'connections.schemaChanges',
  title: 'Show schema changes',
  description:
    'What is different at the source since the last sync, what the policy of the connection makes of it, and the statements that the next sync would run. Nothing is changed.',
  input: z.strictObject({ connection }),
  output: schemaChangesOutput,
  scopes: ['sync:run'],
  effect: outward(READ),
  http: { method: 'GET', path: '/connections/:connection/schema-changes' },
  cli: { command: 'connections changes', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: (ctx, input) => schemaChangesOf(ctx, input.connection),
})

export const log = defineOperation({
  id: 'connections.log',
  title: 'Show how far behind the log',
  description:
    'Of a connection that follows the log of its source (CDC), as the database says now: bytes of log that it keeps, bytes until log is lost, bytes that are read and not loaded, and seconds behind at most.',
  input: z.strictObject({ connection }),
  output: z.looseObject({
    followed: z.boolean(),
    name: z.string().optional(),
    retainedBytes: z.number().optional(),
    safeBytes: z.number().optional(),
    stagedBytes: z.number().optional(),
    behindSeconds: z.number().optional(),
  }),
  scopes: ['sync:run'],
  effect: outward(READ),
  http: { method: 'GET', path: '/connections/:connection/log' },
  cli: { command: 'connections log', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: (ctx, input) => logLagOf(ctx, input.connection),
})

export const list = defineOperation({
  id: 'connections.list',
  title: 'List connections',
  description: 'Connections of the workspace with status, next run and latest sync.',
  input: z.strictObject({
    status: z.enum(['active', 'paused']).optional(),
    ...paging,
    offset,
  }),
  output: pageOf(rowOutput),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/connections' },
  cli: { command: 'connections list', positional: [] },
  handler: async (ctx, query) => {
    const page = await ctx.tenant.list({ ...query, kind: 'connection' })
    return { ...page, items: page.items.map(rowView) }
  },
})

export const update = defineOperation({
  id: 'connections.update',
  tool: {
    name: 'update_connection',
    title: 'Update connection',
    description:
      'Changes a connection: streams replaces the whole list, status pauses or resumes it. dryRun only plans the change; with the planHash of that plan it is refused if anything changed since.',
    toolset: 'pipelines',
  },
  title: 'Update a connection',
  description:
    'Changes what is given; streams replaces the whole list. With dryRun nothing is changed: plan says what would be, and its planHash refuses the change once anything differs.',
  input: z.strictObject({
    connection,
    name: entityName.optional(),
    streams: z.array(streamChoice).min(1).max(10_000).optional(),
    schedule: schedule.optional(),
    status: z.enum(['active', 'paused']).optional(),
    ...connectionSettings,
    dryRun: flag.optional(),
    planHash: z.string().max(200).optional(),
  }),
  output: connectionOutput,
  scopes: ['workspace:write'],
  effect: SET,
  http: { method: 'PATCH', path: '/connections/:connection' },
  cli: { command: 'connections update', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, { connection: id, dryRun, planHash, ...wanted }) => {
    if (dryRun) {
      const plan = await planChange(ctx, id, wanted)
      return { ...connectionView(await ctx.objects.connection(id).get()), plan }
    }
    if (planHash !== undefined) await requireChangePlan(ctx, id, wanted, planHash)
    const { status, ...change } = wanted
    const changed = Object.values(change).some((value) => value !== undefined)
    if (changed) await updateConnection(ctx, id, change)
    const object = ctx.objects.connection(id)
    if (status === 'paused') return connectionView(await object.pause())
    if (status === 'active') return connectionView(await object.resume())
    return connectionView(await object.get())
  },
})

export const remove = defineOperation({
  id: 'connections.delete',
  title: 'Delete a connection',
  description: 'Deletes a connection and its state. Rows in the destination stay.',
  input: z.strictObject({ connection, confirm: z.string().optional() }),
  output: deletedOutput,
  scopes: ['workspace:delete'],
  effect: DESTROY,
  http: { method: 'DELETE', path: '/connections/:connection' },
  cli: { command: 'connections delete', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, { connection: id, confirm }) => {
    const { name } = ctx.refs.connection
    requireConfirmation(ctx, `connection '${name}'`, name, confirm)
    await deleteConnection(ctx, id)
    return { id, deleted: true as const }
  },
})

export const pause = defineOperation({
  id: 'connections.pause',
  title: 'Pause a connection',
  description: 'Stops scheduled syncs; a sync that runs goes on to its end.',
  input: z.strictObject({ connection }),
  output: connectionOutput,
  scopes: ['workspace:write'],
  effect: SET,
  http: { method: 'POST', path: '/connections/:connection/pause' },
  cli: { command: 'connections pause', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, input) =>
    connectionView(await ctx.objects.connection(input.connection).pause()),
})

export const resume = defineOperation({
  id: 'connections.resume',
  title: 'Resume a connection',
  description: 'Lets syncs run again after a pause.',
  input: z.strictObject({ connection }),
  output: connectionOutput,
  scopes: ['workspace:write'],
  effect: SET,
  http: { method: 'POST', path: '/connections/:connection/resume' },
  cli: { command: 'connections resume', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, input) =>
    connectionView(await ctx.objects.connection(input.connection).resume()),
})
