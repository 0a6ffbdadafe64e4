/** A workspace of its own, used over HTTP with an API key, and the test PostgreSQL beside it. */
import { env } from 'cloudflare:workers'
import type pg from 'pg'
import { expect, vi } from 'vitest'
import { budgetOf, connectorContext } from '../../src/durable-object/platform.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { connectPostgres } from '../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../src/runtime/postgres/config.ts'
import { apiKey } from '../mcp/api-key.ts'
import { call } from '../oauth/oauth-client.ts'

// biome-ignore lint/suspicious/noExplicitAny: each test knows the shape it asked for
type Body = any

export interface Answer {
  status: number
  body: Body
  /** As it came, for what must not be in it. */
  text: string
}

export interface Workspace {
  id: string
  token: string
  /** `/api/v1` of the Worker's own fetch. */
  api(method: string, path: string, body?: unknown): Promise<Answer>
  /** As `api`, for what must succeed. */
  must(method: string, path: string, body?: unknown): Promise<Body>
  /** Starts a sync and waits for its end. */
  sync(connection: string): Promise<Body>
  ended(syncId: number): Promise<Body>
  /** Everything that people may read about a sync, as one text. */
  traces(syncId: number): Promise<string>
}

export async function workspace(name: string): Promise<Workspace> {
  const id = `e2e-${name}-${crypto.randomUUID().slice(0, 8)}`
  const token = await apiKey(id)
  const api = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await call(`/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, text, body: text ? JSON.parse(text) : null }
  }
  const must = async (method: string, path: string, body?: unknown) => {
    const answer = await api(method, path, body)
    expect(answer.status, answer.text).toBe(200)
    return answer.body
  }
  const ended = (syncId: number) =>
    vi.waitFor(
      async () => {
        const sync = await must('GET', `/syncs/${syncId}`)
        expect(sync.finished).toBe(true)
        return sync
      },
      { timeout: 25_000, interval: 50 },
    )
  const sync = async (connection: string) => {
    const { syncId } = await must('POST', `/connections/${connection}/sync`, {})
    const done = await ended(syncId).catch(async (error) => {
      console.log(await traces(syncId))
      throw error
    })
    // The connection hears of it after the sync itself knows.
    await vi.waitFor(
      async () => expect((await api('GET', `/syncs/${syncId}/receipt`)).status).toBe(200),
      { timeout: 5000, interval: 30 },
    )
    return done
  }
  const traces = async (syncId: number) => {
    const paths = ['', '/logs', '/receipt?chunks=true'].map((part) => `/syncs/${syncId}${part}`)
    const answers = await Promise.all(paths.map((path) => api('GET', path)))
    return answers.map(({ text }) => text).join('\n')
  }
  return { id, token, api, must, sync, ended, traces }
}

const { PG_URL } = env as unknown as { PG_URL: string }

export interface Role {
  username: string
  password: string
}

/** The test PostgreSQL as both connectors take it; `schemas` for the source, `schema` for the other. */
export function postgresConfig(more: JsonObject = {}, role?: Role): JsonObject {
  const { hostname, port, pathname, username, password } = new URL(PG_URL)
  return {
    ...{ host: hostname, port: Number(port), database: pathname.slice(1) },
    ...{ username, password, ssl_mode: { mode: 'disable' } },
    ...role,
    ...more,
  }
}

/** A superuser's own connection, for arranging and for looking. All values are text. */
export function openDatabase(): Promise<pg.Client> {
  const ctx = connectorContext(env, 'e2e', {
    signal: new AbortController().signal,
    log: () => {},
    budget: budgetOf(600_000),
  })
  return connectPostgres(ctx, postgresConfig() as unknown as PostgresConfig)
}
