/**
 * Airbyte's public API v1 over our operations, so that clients which exist for it can point here.
 * @see https://reference.airbyte.com
 */
import { Hono } from 'hono'
import { AirbyteError } from '../../../protocol/index.ts'
import { call, jsonBody } from '../call.ts'
import type { ApiContext, ApiEnv } from '../types.ts'
import { actorOutput, connectionInput, connectionOutput, jobOutput, pairsOf } from './shapes.ts'

type Loose = Record<string, unknown>

export function publicRoutes(): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  workspaceRoutes(app)
  actorRoutes(app, 'source')
  actorRoutes(app, 'destination')
  connectionRoutes(app)
  jobRoutes(app)
  app.get('/streams', streams)
  return app
}

function workspaceRoutes(app: Hono<ApiEnv>): void {
  const view = async (c: ApiContext) => {
    const { id, name } = await call(c, 'workspace.get', {})
    return { workspaceId: id, name, dataResidency: 'auto' }
  }
  app.get('/workspaces', async (c) => c.json({ data: [await view(c)], next: '', previous: '' }))
  app.get('/workspaces/:id', async (c) => {
    checkWorkspace(c, c.req.param('id'))
    return c.json(await view(c))
  })
}

function actorRoutes(app: Hono<ApiEnv>, kind: 'source' | 'destination'): void {
  const output = (c: ApiContext, record: Loose) => actorOutput(kind, record, c.var.tenantId)
  const get = (c: ApiContext, id: unknown) => call(c, `${kind}s.get`, { [kind]: id })
  app.get(`/${kind}s`, async (c) => {
    const page = await pageOf(c, `${kind}s.list`)
    return c.json(await listed(c, page, async ({ id }) => output(c, await get(c, id))))
  })
  app.post(`/${kind}s`, async (c) => {
    const { name, workspaceId, configuration = {}, definitionId } = await jsonBody(c)
    checkWorkspace(c, workspaceId)
    const { [`${kind}Type`]: named, ...config } = configuration as Loose
    const input = { name, type: named ?? definitionId, config }
    return c.json(output(c, await call(c, `${kind}s.create`, input)))
  })
  app.get(`/${kind}s/:id`, async (c) => c.json(output(c, await get(c, c.req.param('id')))))
  app.on(['PATCH', 'PUT'], `/${kind}s/:id`, async (c) => {
    const { name, configuration } = await jsonBody(c)
    const { [`${kind}Type`]: _, ...config } = (configuration ?? {}) as Loose
    const input = {
      [kind]: c.req.param('id'),
      name,
      ...(configuration !== undefined && { config }),
    }
    return c.json(output(c, await call(c, `${kind}s.update`, input)))
  })
  app.delete(`/${kind}s/:id`, async (c) => {
    await call(c, `${kind}s.delete`, { [kind]: c.req.param('id') })
    return c.body(null, 204)
  })
}

function connectionRoutes(app: Hono<ApiEnv>): void {
  const output = (c: ApiContext, record: Loose) => connectionOutput(record, c.var.tenantId)
  const get = (c: ApiContext, id: unknown) => call(c, 'connections.get', { connection: id })
  app.get('/connections', async (c) => {
    const page = await pageOf(c, 'connections.list')
    return c.json(await listed(c, page, async ({ id }) => output(c, await get(c, id))))
  })
  app.post('/connections', async (c) => {
    const body = await jsonBody(c)
    const { status, ...input } = connectionInput(body)
    const { sourceId: source, destinationId: destination } = body
    const name = input.name ?? `${source} → ${destination}`
    const made = await call(c, 'connections.create', { ...input, name, source, destination })
    if (status !== 'paused') return c.json(output(c, made))
    return c.json(output(c, await call(c, 'connections.pause', { connection: made.id })))
  })
  app.get('/connections/:id', async (c) => c.json(output(c, await get(c, c.req.param('id')))))
  app.patch('/connections/:id', async (c) => {
    const input = { ...connectionInput(await jsonBody(c)), connection: c.req.param('id') }
    return c.json(output(c, await call(c, 'connections.update', input)))
  })
  app.delete('/connections/:id', async (c) => {
    await call(c, 'connections.delete', { connection: c.req.param('id') })
    return c.body(null, 204)
  })
}

function jobRoutes(app: Hono<ApiEnv>): void {
  app.get('/jobs', async (c) => {
    const { connectionId: connection, status } = c.req.query()
    const page = await pageOf(c, 'syncs.list', { connection, status })
    return c.json(await listed(c, page, async (sync) => jobOutput(sync)))
  })
  app.post('/jobs', async (c) => {
    const { connectionId: connection, jobType = 'sync' } = await jsonBody(c)
    if (jobType === 'refresh') await call(c, 'connections.refresh', { connection, remove: true })
    else if (jobType !== 'sync') {
      throw new AirbyteError('UNSUPPORTED', `There are no jobs of type '${jobType}'.`, {
        ...{ field: 'jobType', hint: 'Use sync or refresh.' },
      })
    }
    return c.json(jobOutput(await call(c, 'connections.sync', { connection })))
  })
  app.get('/jobs/:id', async (c) =>
    c.json(jobOutput(await call(c, 'syncs.get', { sync: c.req.param('id') }))),
  )
  app.delete('/jobs/:id', async (c) =>
    c.json(jobOutput(await call(c, 'syncs.cancel', { sync: c.req.param('id') }))),
  )
}

async function streams(c: ApiContext) {
  const { sourceId: source, ignoreCache: refresh } = c.req.query()
  const input = { source, schemas: true, limit: 1000, ...(refresh && { refresh }) }
  const found = await call(c, 'sources.discover', input)
  return c.json(
    (found.streams as Loose[]).map((stream) => ({
      streamName: stream.name,
      streamnamespace: stream.namespace,
      syncModes: pairsOf(stream.syncModes),
      defaultCursorField: stream.cursorField,
      sourceDefinedCursorField: stream.sourceDefinedCursor,
      sourceDefinedPrimaryKey: stream.primaryKey,
      propertyFields: Object.keys((stream.jsonSchema as Loose).properties ?? {}).map((f) => [f]),
    })),
  )
}

interface ListPage {
  items: Loose[]
  total: number
  limit: number
  offset: number
}

/** Airbyte pages by limit (20 by default, at most 100) and offset. */
async function pageOf(c: ApiContext, id: string, input: Loose = {}): Promise<ListPage> {
  for (const asked of c.req.queries('workspaceIds') ?? []) checkWorkspace(c, asked)
  const whole = (name: string, otherwise: number) => {
    const value = Number(c.req.query(name) ?? otherwise)
    if (Number.isInteger(value) && value >= 0) return value
    throw new AirbyteError('VALIDATION_FAILED', `${name} is not a whole number.`, { field: name })
  }
  const [limit, offset] = [Math.min(100, whole('limit', 20)), whole('offset', 0)]
  const page = await call(c, id, { ...input, limit: Math.max(1, limit), offset })
  return { items: page.items as Loose[], total: Number(page.total), limit, offset }
}

async function listed(c: ApiContext, page: ListPage, view: (item: Loose) => Promise<Loose>) {
  const { items, total, limit, offset } = page
  const at = (start: number) => {
    const url = new URL(c.req.url)
    url.searchParams.set('limit', String(limit))
    url.searchParams.set('offset', String(start))
    return url.href
  }
  return {
    data: await Promise.all(items.map(view)),
    next: offset + items.length < total ? at(offset + limit) : '',
    previous: offset > 0 ? at(Math.max(0, offset - limit)) : '',
  }
}

/** The workspace is the token's; another one does not exist for this caller. */
function checkWorkspace(c: ApiContext, id: unknown): void {
  if (id === undefined || id === c.var.tenantId) return
  throw new AirbyteError('NOT_FOUND', 'There is no such workspace.', { field: 'workspaceId' })
}
