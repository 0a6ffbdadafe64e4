import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { HttpClient } from '../../../../src/runtime/contract.ts'
import type { ApiDocument } from './document.ts'

export interface MockRequest {
  method: string
  /** As the manifest asked for it, with the vendor's own host. */
  url: URL
  /** The route that serves it: `GET /repos/{owner}/{repo}/issues`. */
  route: string
  /** The parts of the path that the route leaves open, decoded. */
  params: Record<string, string>
  query: URLSearchParams
  headers: Headers
  /** Fields of a JSON or form body. */
  body: JsonObject
  /** When it came, by the test's clock, in epoch milliseconds. */
  at: number
}

export interface MockAnswer {
  status?: number
  headers?: Record<string, string>
  /** Sent as JSON; a text is sent as it is. */
  body?: unknown
}

export interface MockRoute {
  /** Query parameters that the mock implements. Any other is refused. */
  query?: string[]
  /** Fields of the body, likewise. */
  body?: string[]
  /** Gives tokens: what `answerNext` holds is for the requests that bear them. */
  givesTokens?: true
  answer(request: MockRequest): MockAnswer
}

/** By method and path template, as the vendor's reference writes them. */
export type MockRoutes = Record<string, MockRoute>

export interface MockOptions {
  /** The vendor's own, which the manifest calls: `https://api.github.com`. */
  origins: string[]
  routes: MockRoutes
  /** The vendor's answer to a request that it does not let in. */
  authorize(request: MockRequest): MockAnswer | undefined
  document?: ApiDocument
}

/**
 * A vendor's API over HTTP on loopback. It knows the routes, parameters and body fields that it was
 * told and no others: what else is asked for is answered with 501 and noted in `violations`. With
 * the vendor's document, routes and parameters must exist there, and answers must fit its schemas.
 */
export class MockApi {
  readonly requests: MockRequest[] = []
  readonly violations: string[] = []
  readonly #options: MockOptions
  readonly #routes: CompiledRoute[]
  readonly #next: MockAnswer[] = []
  #server: Server | undefined
  #base = ''

  constructor(options: MockOptions) {
    this.#options = options
    this.#routes = Object.entries(options.routes)
      .map(([key, route]) => compile(key, route))
      .sort((a, b) => a.open.length - b.open.length)
    for (const route of this.#routes) this.violations.push(...this.#undocumented(route))
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      this.#serve(request).then(
        ({ status = 200, headers = {}, body = null }) => {
          const text = typeof body === 'string' ? body : JSON.stringify(body)
          const type = typeof body === 'string' ? 'text/plain' : 'application/json'
          response.writeHead(status, { 'content-type': type, ...headers }).end(text)
        },
        (error: unknown) => response.writeHead(501).end(this.#refuse(String(error))),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    this.#server = server
    return this
  }

  /** Where it is on loopback. */
  get address(): string {
    return this.#base
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    this.#server?.close()
  }

  /** `ctx.http` of a test: the vendor's hosts lead here, all others nowhere. */
  readonly http: HttpClient = {
    fetch: async (url, init = {}) => {
      const target = new URL(url)
      if (!this.#options.origins.includes(target.origin)) {
        throw new Error(this.#refuse(`${target.origin} is not one of the vendor's hosts`))
      }
      const headers = new Headers(init.headers)
      headers.set('x-mock-origin', target.origin)
      const path = target.pathname + target.search
      const response = await fetch(`${this.#base}${path}`, { ...init, headers })
      Object.defineProperty(response, 'url', { value: target.href })
      return response
    },
  }

  /** The next requests get these answers, whatever they ask for but tokens. */
  answerNext(...answers: MockAnswer[]): void {
    this.#next.push(...answers)
  }

  async #serve(message: IncomingMessage): Promise<MockAnswer> {
    const request = await readRequest(message)
    const route = this.#routes.find((known) => known.matches(request))
    if (!route) return this.#refused(`there is no route for ${request.method} ${request.url.href}`)
    request.route = route.key
    this.requests.push(request)
    const unknown = [
      ...[...request.query.keys()].filter((name) => !route.query?.includes(name)),
      ...Object.keys(request.body).filter((name) => !route.body?.includes(name)),
    ]
    if (unknown.length > 0) return this.#refused(`${route.key} has no parameter ${unknown}`)
    const queued = route.givesTokens ? undefined : this.#next.shift()
    if (queued) return queued
    const answer = this.#options.authorize(request) ?? route.answer(request)
    // 202 and 204 have schemas of their own, or none.
    if ([200, 201].includes(answer.status ?? 200)) this.#checkAnswer(route, answer.body)
    return answer
  }

  #checkAnswer({ key, method, template }: CompiledRoute, body: unknown): void {
    const operation = this.#options.document?.operation(method, template)
    for (const problem of operation?.problems(body) ?? []) this.#refuse(`${key}: ${problem}`)
  }

  #undocumented({ key, method, template, query, body }: CompiledRoute): string[] {
    const { document } = this.#options
    if (!document || document.covers?.(template) === false) return []
    const operation = document.operation(method, template)
    if (!operation) return [`${key} is not in the vendor's document`]
    const absent = [
      ...(query ?? []).filter((name) => !operation.query.has(name)),
      ...(body ?? []).filter((name) => !operation.body.has(name)),
    ]
    return absent.map((name) => `${key} has no parameter ${name} in the vendor's document`)
  }

  #refused(why: string): MockAnswer {
    return { status: 501, body: { message: this.#refuse(why) } }
  }

  #refuse(why: string): string {
    if (!this.violations.includes(why)) this.violations.push(why)
    return `The mock refuses: ${why}`
  }
}

interface CompiledRoute extends MockRoute {
  key: string
  method: string
  template: string
  open: string[]
  matches(request: MockRequest): boolean
}

function compile(key: string, route: MockRoute): CompiledRoute {
  const [method = '', template = ''] = key.split(' ')
  const open = [...template.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name as string)
  const pattern = template
    .split(/\{[^}]+\}/)
    .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('([^/]+)')
  const regex = new RegExp(`^${pattern}$`)
  return {
    ...{ ...route, key, method, template, open },
    matches(request) {
      if (request.method !== method) return false
      const [, ...values] = regex.exec(request.url.pathname) ?? []
      if (values.length < open.length || !regex.test(request.url.pathname)) return false
      request.params = Object.fromEntries(
        open.map((name, index) => [name, decodeURIComponent(values[index] ?? '')]),
      )
      return true
    },
  }
}

async function readRequest(message: IncomingMessage): Promise<MockRequest> {
  const headers = new Headers()
  for (const [name, value] of Object.entries(message.headers)) headers.set(name, String(value))
  const url = new URL(message.url ?? '/', headers.get('x-mock-origin') ?? 'http://unknown')
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  const isForm = headers.get('content-type')?.startsWith('application/x-www-form-urlencoded')
  const body = isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text || '{}')
  return {
    ...{ method: message.method ?? 'GET', url, route: '', params: {}, query: url.searchParams },
    ...{ headers, body, at: Date.now() },
  }
}
