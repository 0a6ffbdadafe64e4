import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { parse } from 'yaml'
import type { ConfiguredStream, JsonObject, JsonValue } from '../../../src/protocol/index.ts'
import { loads, toJson } from '../../../src/runtime/declarative/python/json.ts'

const FOLDER = join(import.meta.dirname, '../../oracle/manifests')

/** A manifest, its HTTP answers and what is read. `run.py` runs the same with Airbyte's CDK. */
export interface OracleCase {
  name: string
  /** By default `read`. */
  command?: 'check' | 'discover' | 'spec'
  /** The older version of the language, and of the CDK that ran the case; by default the newest. */
  cdk?: string
  /** The place on the list of the language's changes that the case shows. */
  change?: string
  /** Merged over the one stream of `base.yaml`. */
  stream?: JsonObject
  /** Merged over the whole of it. */
  manifest?: JsonObject
  config?: JsonObject
  state?: Record<string, JsonObject>
  /** The cursor field and the schema's properties in the configured catalog. */
  cursor?: string
  schema?: JsonObject
  /** Streams to read; all by default the first. */
  read?: string[]
  now?: string
  http?: Rule[]
  /** Compare addresses as they are written, and the kinds of bodies. */
  raw?: boolean
  /** The CDK's threads race for the cache: compare which requests were made, not how often. */
  distinct?: boolean
  /** The clock goes on with each wait. */
  ticks?: boolean
  /** Files are asked for: compare what is stored, by its path. */
  files?: boolean
  /** Compare how long was waited between attempts. */
  waits?: boolean
  /** Why this runtime differs from the CDK on purpose; its result is the test's own then. */
  differs?: string
}

export interface Rule {
  url: string
  method?: string
  body?: JsonValue
  any_query?: boolean
  respond: RuleAnswer[]
}

interface RuleAnswer {
  status?: number
  headers?: Record<string, string>
  json?: JsonValue
  text?: string
  /** Of `text`; UTF-8 by default. */
  encoding?: 'utf-8' | 'latin-1' | 'utf-16'
  base64?: string
  /** A ZIP archive of these files. */
  zip?: Record<string, string>
  /** Pack what the above gives. */
  gzip?: boolean
  /** Keep so many bytes of it. */
  cut?: number
}

export interface Seen {
  method: string
  url: string
  query: [string, string][]
  raw?: [string, string | null]
  body?: { json: JsonValue } | { text: string }
  headers?: Record<string, string>
}

export interface Golden {
  /** Of the CDK, when it is an older one. */
  cdk?: string
  refused?: string
  check?: 'SUCCEEDED' | 'FAILED'
  catalog?: JsonObject[]
  spec?: JsonObject
  requests: Seen[]
  records?: Record<string, JsonObject[]>
  states?: Record<string, JsonObject>
  statuses?: Record<string, string>
  failures?: string[]
  waits?: number[]
  files?: Record<string, string>
}

export const cases = (): OracleCase[] =>
  readdirSync(join(FOLDER, 'cases'))
    .sort()
    .flatMap(
      (file) =>
        parse(readFileSync(join(FOLDER, 'cases', file), 'utf8'), { merge: true }) as OracleCase[],
    )

export const goldens = (): Record<string, Golden> =>
  Object.assign(
    {},
    ...readdirSync(join(FOLDER, 'goldens')).map((file) =>
      toJson(loads(readFileSync(join(FOLDER, 'goldens', file), 'utf8'))),
    ),
  )

/** A case, the path of a node in it, a field of the node, and of each change whether it is accepted. */
export const verdicts = (): [string, (string | number)[], string, string][] =>
  JSON.parse(readFileSync(join(FOLDER, 'validation.json'), 'utf8'))

/** The streams as the configured catalog has them. */
export const configuredOf = (names: string[], { cursor, schema = {} }: OracleCase) =>
  new Map(
    names.map((name): [string, ConfiguredStream] => [
      name,
      {
        stream: {
          ...{ name, json_schema: { type: 'object', properties: schema } },
          supported_sync_modes: ['full_refresh', 'incremental'],
        },
        ...{ syncMode: 'incremental', destinationSyncMode: 'append', primaryKey: [] },
        ...{ generationId: 0, minimumGenerationId: 0, syncId: 1, format: 'records' },
        cursorField: cursor ? [cursor] : [],
      },
    ]),
  )

export function manifestOf({ cdk, stream, manifest }: OracleCase): JsonObject {
  const base = parse(readFileSync(join(FOLDER, 'base.yaml'), 'utf8')) as JsonObject
  const [first] = base.streams as [JsonObject]
  if (cdk) base.version = cdk
  base.streams = [merge(first, stream ?? {})]
  return merge(base, manifest ?? {}) as JsonObject
}

function merge(base: JsonValue | undefined, over: JsonValue): JsonValue {
  if (!isObject(base) || !isObject(over)) return over
  const merged: JsonObject = { ...base }
  for (const [key, value] of Object.entries(over)) merged[key] = merge(base[key], value)
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null))
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Answers as the rules say, several in turn, the last one again; notes every request. */
export function responder(rules: Rule[], raw = false) {
  const seen: Seen[] = []
  const used = rules.map(() => 0)
  async function fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const request = seenOf(String(url), init)
    const kind = new Headers(init.headers).get('content-type')
    seen.push(raw ? { ...request, raw: [new URL(url).href, kind] } : request)
    const index = rules.findIndex((rule) => matches(rule, request))
    const rule = rules[index]
    if (!rule) return respond(request, { status: 599, text: 'no rule matches' })
    const answer = rule.respond[Math.min(used[index] ?? 0, rule.respond.length - 1)]
    used[index] = (used[index] ?? 0) + 1
    return respond(String(url), answer ?? {})
  }
  return { seen, fetch }
}

function respond(_url: unknown, answer: RuleAnswer) {
  const { status = 200, headers } = answer
  return new Response(status === 204 ? null : bodyBytes(answer), { status, headers })
}

function bodyBytes({ json, text = '', encoding, base64, zip, gzip, cut }: RuleAnswer) {
  let body = zip
    ? zipOf(zip)
    : base64
      ? Buffer.from(base64, 'base64')
      : encoded(json === undefined ? text : JSON.stringify(json), encoding)
  if (gzip) body = gzipSync(body)
  return new Uint8Array(body.subarray(0, cut))
}

function encoded(text: string, encoding: RuleAnswer['encoding']): Buffer {
  if (encoding === 'latin-1') return Buffer.from(text, 'latin1')
  return encoding === 'utf-16' ? Buffer.from(`\ufeff${text}`, 'utf16le') : Buffer.from(text)
}

/** @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT section 4.3 */
function zipOf(files: Record<string, string>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const [name, text] of Object.entries(files)) {
    const packed = deflateRawSync(text)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(Buffer.byteLength(text), 18)
    common.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(at, 10)
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, rest, Buffer.from(name)]),
    )
    parts.push(local)
    at += local.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06')
  end.writeUInt16LE(directory.length, 8)
  end.writeUInt16LE(directory.length, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, ...directory, end])
}

const NOTED = ['Authorization', 'Cookie', 'X-Test', 'X-Page']

function seenOf(url: string, init: RequestInit): Seen {
  const parsed = new URL(url)
  const noted = NOTED.flatMap((name) => {
    const value = new Headers(init.headers).get(name)
    return value === null ? [] : [[name, value]]
  })
  return {
    method: init.method ?? 'GET',
    url: parsed.origin + parsed.pathname,
    query: queryOf(parsed),
    ...(typeof init.body === 'string' ? { body: bodyOf(init.body) } : {}),
    ...(noted.length > 0 ? { headers: Object.fromEntries(noted) } : {}),
  }
}

function queryOf(url: URL): [string, string][] {
  return [...url.searchParams].sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)))
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function bodyOf(text: string): Seen['body'] {
  try {
    return { json: JSON.parse(text) }
  } catch {
    return { text }
  }
}

function matches(rule: Rule, seen: Seen): boolean {
  const url = new URL(rule.url)
  if (rule.method && rule.method !== seen.method) return false
  if (url.origin + url.pathname !== seen.url) return false
  if (
    'body' in rule &&
    stable(rule.body) !== stable(seen.body && 'json' in seen.body ? seen.body.json : null)
  )
    return false
  return rule.any_query === true || stable(queryOf(url)) === stable(seen.query)
}

export function stable(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'bigint'
      ? `${item}n`
      : isObject(item as JsonValue)
        ? Object.fromEntries(Object.entries(item as object).sort(([a], [b]) => order(a, b)))
        : item,
  )
}
