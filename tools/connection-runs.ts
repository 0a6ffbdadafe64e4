/** What a connection does: syncs, their state, and starting over. */
import { z } from 'zod'
import { requireConfirmation } from '../src/operations/actors.ts'
import { startBackfill } from '../src/operations/backfill.ts'
import { connectionStreams } from '../src/operations/connections.ts'
import { DESTROY, defineOperation, outward, READ, WRITE } from '../src/operations/define.ts'
import {
  flag,
  nameOrId,
  pageOf,
  paging,
  streamName,
  syncOutput,
  waitSeconds,
} from '../src/operations/fields.ts'
import { followSync, readSync, startSync, syncOf } from '../src/operations/syncs.ts'
import { connectionView, syncView } from '../src/operations/views.ts'

const connection = nameOrId
const state = z.looseObject({
  states: z.array(
    z.looseObject({
      stream: z.looseObject({ name: z.string() }),
      state: z.record(z.string(), z.json()).nullable(),
    }),
  ),
})

/** A value as text, in the type of its column; whole numbers may be given as they are. */
const rangeEnd = z.union([z.string(), z.int()]).transform(String)

const startedSync = z.looseObject({ ...syncOutput.shape, finished: z.boolean() })

export const sync = defineOperation({
  id: 'connections.sync',
  tool: {
    name: 'run_sync',
    title: 'Run sync',
    description:
      'Starts a sync of a connection and returns its number at once, or after waitSeconds with its progress. If one already runs, that one is returned. Follow it with get_sync.',
    toolset: 'pipelines',
  },
  title: 'Sync a connection now',
  description: 'Starts a sync of all or some streams. Refused while one runs.',
  input: z.strictObject({
    connection,
    streams: z.array(streamName).min(1).optional().describe('Default: all'),
    waitSeconds,
  }),
  output: startedSync,
  scopes: ['sync:run'],
  effect: outward(WRITE),
  http: { method: 'POST', path: '/connections/:connection/sync' },
  cli: { command: 'sync', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, { connection: id, streams: names, waitSeconds: wait = 0 }) => {
    const streams = await connectionStreams(ctx, id, names)
    const { summary, alreadyRunning } = await startSync(ctx, id, { streams })
    const latest = wait > 0 ? await followSync(ctx, summary.syncId, id, wait) : summary
    return { ...syncOf(latest), ...(alreadyRunning && { alreadyRunning }) }
  },
})

export const backfill = defineOperation({
  id: 'connections.backfill',
  title: 'Backfill a stream',
  description:
    'Reads the rows of one stream whose field lies in [from, to) again and adds them to its table; the position of ordinary syncs stays. Under append, rows that are there already are doubled; overwriting streams are refused.',
  input: z.strictObject({
    connection,
    stream: streamName,
    field: z.string().min(1).describe('Key or time column'),
    from: rangeEnd.optional().describe('Inclusive'),
    to: rangeEnd.optional().describe('Exclusive'),
  }),
  output: startedSync,
  scopes: ['sync:run'],
  effect: outward(WRITE),
  http: { method: 'POST', path: '/connections/:connection/backfill' },
  cli: { command: 'connections backfill', positional: ['connection', 'stream', 'field'] },
  refs: { connection: 'connection' },
  handler: async (ctx, { connection: id, stream, field, from, to }) => {
    const range = { field, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
    return syncOf(await startBackfill(ctx, id, stream, range))
  },
})

export const acceptEmpty = defineOperation({
  id: 'connections.acceptEmpty',
  tool: {
    name: 'accept_empty_overwrite',
    title: 'Accept empty overwrite',
    description:
      'After a sync ended with EMPTY_OVERWRITE_HELD: syncs again and lets the empty source replace the rows in the destination. Ask the person first; confirm is the connection name.',
    toolset: 'pipelines',
  },
  title: 'Accept an empty overwrite',
  description: 'Syncs again and lets an empty full refresh replace existing rows.',
  input: z.strictObject({ connection, confirm: z.string().optional() }),
  output: startedSync,
  scopes: ['sync:run', 'workspace:delete'],
  effect: outward(DESTROY),
  http: { method: 'POST', path: '/connections/:connection/accept-empty' },
  cli: { command: 'connections accept-empty', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, { connection: id, confirm }) => {
    const { name } = ctx.refs.connection
    requireConfirmation(ctx, `rows that '${name}' wrote before`, name, confirm)
    return syncOf((await startSync(ctx, id, { acceptEmpty: true })).summary)
  },
})

export const status = defineOperation({
  id: 'connections.status',
  title: 'Status of a connection',
  description: 'Whether it is active, when it runs next, and the latest sync with its progress.',
  input: z.strictObject({ connection }),
  output: z.looseObject({
    id: z.string(),
    name: z.string(),
    status: z.enum(['active', 'paused']),
    sync: syncOutput.optional(),
  }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/connections/:connection/status' },
  cli: { command: 'connections status', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, input) => {
    const record = await ctx.objects.connection(input.connection).get()
    const { id, name, status: connectionStatus, nextRunAt, pausedReason } = connectionView(record)
    const last = record.lastSync
    const latest = last && syncOf(await readSync(ctx, last.syncId, id))
    return { id, name, status: connectionStatus, nextRunAt, pausedReason, sync: latest }
  },
})

export const jobs = defineOperation({
  id: 'connections.jobs',
  title: 'Syncs of a connection',
  description: 'Past and running syncs of one connection, newest first.',
  input: z.strictObject({ connection, ...paging }),
  output: pageOf(syncOutput),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/connections/:connection/syncs' },
  cli: { command: 'connections jobs', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, { connection: connectionId, ...query }) => {
    const page = await ctx.tenant.syncs({ connectionId, ...query })
    return { ...page, items: page.items.map(syncView) }
  },
})

export const refresh = defineOperation({
  id: 'connections.refresh',
  tool: {
    name: 'reset_streams',
    title: 'Reset streams',
    description:
      'Forgets how far streams were synced, so that the next sync reads them from the start; with remove, older rows go when it completes. Not needed for an ordinary sync. confirm is the connection name.',
    toolset: 'pipelines',
  },
  title: 'Refresh streams',
  description:
    'Erases the state of streams; the next sync reads them anew. With remove, older rows are dropped when it completes.',
  input: z.strictObject({
    connection,
    streams: z.array(streamName).min(1).optional().describe('Default: all'),
    remove: flag.default(false),
    confirm: z.string().optional(),
  }),
  output: z.looseObject({ connection: z.string(), refreshed: z.array(z.string()) }),
  scopes: ['workspace:delete'],
  effect: DESTROY,
  http: { method: 'POST', path: '/connections/:connection/refresh' },
  cli: { command: 'connections refresh', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, { connection: id, streams: names, remove: drop, confirm }) => {
    const { name } = ctx.refs.connection
    requireConfirmation(ctx, `sync state of '${name}'`, name, confirm)
    const streams = await connectionStreams(ctx, id, names)
    await ctx.objects.connection(id).refresh({ streams, remove: drop })
    return { connection: id, refreshed: streams?.map((stream) => stream.name) ?? ['*'] }
  },
})

export const getState = defineOperation({
  id: 'connections.getState',
  title: 'Get the state of a connection',
  description:
    'The committed position of each stream, as the source wrote it. With stream, of that one, its partitions in pages where they are many.',
  input: z.strictObject({
    connection,
    stream: streamName.optional(),
    cursor: z.string().max(2000).optional(),
  }),
  output: z.looseObject({ ...state.shape, cursor: z.string().optional() }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/connections/:connection/state' },
  cli: { command: 'connections get-state', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, { connection: id, stream, cursor }) => {
    const object = ctx.objects.connection(id)
    const [wanted] = stream ? ((await connectionStreams(ctx, id, [stream])) ?? []) : []
    if (wanted) return object.statePage({ stream: wanted, ...(cursor && { cursor }) })
    return { states: await object.state() }
  },
})

export const setState = defineOperation({
  id: 'connections.setState',
  title: 'Set the state of a connection',
  description:
    'Replaces the position of the given streams; null erases one. Refused while a sync runs. Gives them back as they are now.',
  input: z.strictObject({
    connection,
    states: z
      .array(
        z.strictObject({
          stream: streamName,
          state: z.record(z.string(), z.json()).nullable(),
        }),
      )
      .min(1),
  }),
  output: state,
  scopes: ['workspace:delete'],
  effect: DESTROY,
  http: { method: 'PUT', path: '/connections/:connection/state' },
  cli: { command: 'connections set-state', positional: ['connection'] },
  refs: { connection: 'connection' },
  handler: async (ctx, { connection: id, states }) => {
    const streams = await connectionStreams(
      ctx,
      id,
      states.map(({ stream }) => stream),
    )
    const object = ctx.objects.connection(id)
    await object.setState(
      (streams ?? []).map((stream, i) => ({ stream, state: states[i]?.state ?? null })),
    )
    const pages = (streams ?? []).map((stream) => object.statePage({ stream }))
    return { states: (await Promise.all(pages)).flatMap((page) => page.states) }
  },
})
