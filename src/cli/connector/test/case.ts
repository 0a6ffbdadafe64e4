import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject, JsonValue } from '../../../protocol/index.ts'
import { exactJson, parseExactJson } from '../../../runtime/exact-json.ts'

/** What a request must be like to get an answer. In texts, the mask stands for anything. */
export interface RequestMatch {
  method: string
  /** Without its query. */
  url: string
  query: { exact: [string, string][] }
  headers?: { subset: Record<string, string> }
  body?: { json: JsonValue } | { form: [string, string][] } | { text: string }
}

export interface RecordedAnswer {
  status: number
  headers: Record<string, string>
  /** One of them, unless there is no body; `base64` for what is no text. */
  json?: JsonValue
  body?: string
  base64?: string
}

export interface HttpRule {
  match: RequestMatch
  /** Given in turn, each once. */
  respond: RecordedAnswer[]
}

export type TestCommand = 'check' | 'discover' | 'read'

/** What came of a command: what a replay has to give again. */
export interface Outcome {
  /** Of a check: whether the config is fine; of a discover: the streams' names. */
  check?: boolean
  streams?: string[]
  /** Of a read: the first records, the state in Airbyte's format, and how the stream ended. */
  records?: Record<string, JsonValue[]>
  state?: Record<string, JsonObject>
  statuses?: Record<string, string>
  requests_count: number
  errors: { failure_type: string; contains: string }[]
}

/** One command with everything that it depends on. */
export interface TestCase {
  /** The manifest that was run, seen from the case; or a connector of the catalog. */
  manifest_ref?: string
  connector?: string
  /** With masks in place of secrets. */
  config: JsonObject
  /** The clock stands still here. */
  now: string
  steps: [{ command: TestCommand; catalog?: JsonObject; records?: number }]
  http: HttpRule[]
  expect: Outcome
}

export interface NamedCase {
  name: string
  case: TestCase
}

export function writeCase(directory: string, { name, case: content }: NamedCase): string {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${name}.json`)
  writeFileSync(path, `${exactJson(content, 1)}\n`)
  return path
}

export function readCases(directory: string): NamedCase[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({
      name: file.slice(0, -'.json'.length),
      case: parseExactJson(readFileSync(join(directory, file), 'utf8')) as TestCase,
    }))
}
