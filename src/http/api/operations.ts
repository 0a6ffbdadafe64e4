import { Hono } from 'hono'
import { operations } from '../../../tools/index.ts'
import { exactJson } from '../../runtime/exact-json.ts'
import { call, jsonBody } from './call.ts'
import type { ApiContext, ApiEnv } from './types.ts'

/** Every operation twice: `POST /ops/{id}` with its input as the body, and its REST route. */
export function operationRoutes(): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  app.post('/ops/:id', async (c) => json(await call(c, c.req.param('id'), await jsonBody(c))))
  for (const { id, http } of operations) {
    app.on(http.method, http.path, async (c) => json(await call(c, id, await inputOf(c))))
  }
  return app
}

/** States hold integers of any size. */
const json = (result: unknown) =>
  new Response(exactJson(result), { headers: { 'content-type': 'application/json' } })

/** Fields of the body, the query and the path; the path wins. */
async function inputOf(c: ApiContext): Promise<Record<string, unknown>> {
  const body = c.req.method === 'GET' ? {} : await jsonBody(c)
  return { ...c.req.query(), ...body, ...c.req.param() }
}
