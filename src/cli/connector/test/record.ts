import type { JsonValue } from '../../../protocol/index.ts'
import type { HttpClient } from '../../../runtime/contract.ts'
import { exactJson, numberText, parseExactJson } from '../../../runtime/exact-json.ts'
import { looksLikeSecret } from '../../../vault/index.ts'
import type { HttpRule, RecordedAnswer, RequestMatch } from './case.ts'

export interface Recorder {
  http: HttpClient
  /** What was asked and answered, in its order. */
  exchanges: { match: RequestMatch; answer: RecordedAnswer }[]
}

/** Passes requests on and keeps what was asked and answered; secrets in answers are told to `onSecret`. */
export function recordingHttp(inner: HttpClient, onSecret: (secret: string) => void): Recorder {
  const exchanges: Recorder['exchanges'] = []
  return {
    exchanges,
    http: {
      async fetch(url, init) {
        const response = await inner.fetch(url, init)
        const bytes = new Uint8Array(await response.arrayBuffer())
        const answer = answerOf(response, bytes)
        for (const secret of secretsIn(answer.json)) onSecret(secret)
        exchanges.push({ match: matchOf(url, init), answer })
        return responseOf(answer, response.url || String(url))
      },
    },
  }
}

/** Answers of equal requests together, and every text scrubbed. */
export function rulesOf(
  exchanges: Recorder['exchanges'],
  scrub: (text: string) => string,
): HttpRule[] {
  const rules = new Map<string, HttpRule>()
  for (const exchange of exchanges) {
    const { match, answer } = scrubbed(exchange, scrub)
    const key = exactJson(match) ?? ''
    const rule = rules.get(key)
    if (rule) rule.respond.push(answer)
    else rules.set(key, { match, respond: [answer] })
  }
  return [...rules.values()]
}

/** Texts at any depth with their secrets masked. */
export function scrubbed<T>(value: T, scrub: (text: string) => string): T {
  if (typeof value === 'string') return scrub(value) as T
  if (Array.isArray(value)) return value.map((item) => scrubbed(item, scrub)) as T
  if (typeof value !== 'object' || value === null || numberText(value) !== value) return value
  const entries = Object.entries(value).map(([key, item]) => [key, scrubbed(item, scrub)])
  return Object.fromEntries(entries) as T
}

/** As the rules of a case see it. */
export function matchOf(url: string | URL, init: RequestInit = {}): RequestMatch {
  const parsed = new URL(url)
  const headers = new Headers(init.headers)
  const body = bodyOf(init.body, headers.get('content-type') ?? '')
  const subset = Object.fromEntries([...headers].filter(([name]) => !CREDENTIALS.has(name)))
  return {
    method: init.method ?? 'GET',
    url: parsed.origin + parsed.pathname,
    query: { exact: sorted(parsed.searchParams) },
    ...(Object.keys(subset).length > 0 && { headers: { subset } }),
    ...(body && { body }),
  }
}

const CREDENTIALS = new Set(['authorization', 'cookie', 'proxy-authorization'])

function bodyOf(body: RequestInit['body'], type: string): RequestMatch['body'] {
  if (typeof body !== 'string') return undefined
  if (type.includes('x-www-form-urlencoded')) return { form: sorted(new URLSearchParams(body)) }
  try {
    return { json: parseExactJson(body) as JsonValue }
  } catch {
    return { text: body }
  }
}

const sorted = (parameters: URLSearchParams): [string, string][] =>
  [...parameters].sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)))
const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Of the transport, or of one moment: no manifest looks at them. */
const PASSING =
  /^(?:date|server|via|age|vary|connection|keep-alive|alt-svc|nel|report-to|set-cookie|etag|cf-.*|content-(?:encoding|length|security-policy)|transfer-encoding|strict-transport-security|access-control-.*|x-(?:request-id|runtime|frame-options|xss-protection|content-type-options|amz.*))$/

function answerOf({ status, headers }: Response, bytes: Uint8Array): RecordedAnswer {
  const kept = Object.fromEntries([...headers].filter(([name]) => !PASSING.test(name)))
  const answer: RecordedAnswer = { status, headers: kept }
  if (bytes.length === 0) return answer
  let body: string
  try {
    body = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { ...answer, base64: Buffer.from(bytes).toString('base64') }
  }
  try {
    return { ...answer, json: parseExactJson(body) as JsonValue }
  } catch {
    return { ...answer, body }
  }
}

const NULL_BODY = new Set([101, 204, 205, 304])

export function responseOf(answer: RecordedAnswer, url: string): Response {
  const { status, headers, json, body, base64 } = answer
  const content =
    json !== undefined
      ? exactJson(json)
      : base64 !== undefined
        ? Buffer.from(base64, 'base64')
        : body
  const response = new Response(NULL_BODY.has(status) ? null : (content ?? ''), { status, headers })
  Object.defineProperty(response, 'url', { value: url })
  return response
}

/** What a login or a refresh answered: other requests will carry it. */
const SECRET_NAMES =
  /^(?:access|refresh|id|session|auth)_?(?:token|key|id)$|secret|password|^token$|api_?key/i

function secretsIn(value: unknown, name = ''): string[] {
  if (typeof value === 'string') {
    const isSecret = value.length >= 8 && (SECRET_NAMES.test(name) || looksLikeSecret(value))
    return isSecret ? [value] : []
  }
  if (Array.isArray(value)) return value.flatMap((item) => secretsIn(item, name))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => secretsIn(item, key))
}
