import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { JsonObject } from '../../../src/protocol/index.ts'
import { loads, toJson } from '../../../src/runtime/declarative/python/json.ts'
import { exactJson } from '../../../src/runtime/exact-json.ts'
import { type Rule, responder, stable } from '../../runtime/declarative/oracle.ts'
import { catalogOf, type Ended, runHere, serve, workFolder } from './process.ts'

const FOLDER = join(import.meta.dirname, '../../oracle/cli')
const text = (name: string) => readFileSync(join(FOLDER, name), 'utf8')

interface Case {
  name: string
  command: string
  manifest?: JsonObject
  config?: JsonObject
  streams?: Record<string, string>
  state?: unknown[]
  arguments?: string[]
  http?: Rule[]
  /** Read again from the state of the first read. */
  then?: { http: Rule[] }
}

interface Result {
  exit: number | null
  requests: unknown[]
  records?: Record<string, JsonObject[]>
  states?: Record<string, JsonObject>
  counts?: Record<string, number>
  statuses?: Record<string, string[]>
  errors?: [string | null, string | null][]
  limited?: unknown[]
  [more: string]: unknown
}

interface Golden extends Result {
  then?: Result
  /** What our first read printed when the goldens were made, and how the CDK went on from it. */
  ours?: { states: Record<string, JsonObject>; then: Result }
}

const CASES = parse(text('cases.yaml')) as Case[]
const GOLDENS = toJson(loads(text('goldens.json'))) as Record<string, Golden>
const MANIFEST = parse(text('manifest.yaml')) as JsonObject

let folder: ReturnType<typeof workFolder>
beforeAll(() => {
  folder = workFolder()
})
afterAll(() => folder.remove())

describe('the same command line as source-declarative-manifest', () => {
  for (const wanted of CASES) {
    it(wanted.name, async () => {
      const golden = GOLDENS[wanted.name]
      if (!golden) throw new Error('This case has no golden: run test/oracle/cli/run.py.')
      const { then, ours, ...first } = golden
      const result = await run(wanted, wanted.http, wanted.state)
      expect(comparable(result)).toEqual(comparable(first))
      if (!wanted.then || !then || !ours) return

      // Our state is the one that the CDK was given, and both go on from either in the same way.
      expect(comparableStates(result.states)).toEqual(comparableStates(ours.states))
      const fromTheirs = await run(wanted, wanted.then.http, asList(first.states))
      expect(comparable(fromTheirs)).toEqual(comparable(then))
      const fromOurs = await run(wanted, wanted.then.http, asList(result.states))
      expect(comparable(fromOurs)).toEqual(comparable(ours.then))
    }, 60_000)
  }
})

async function run(wanted: Case, rules: Rule[] = [], state?: unknown[]): Promise<Result> {
  const { fetch, seen } = responder(rules)
  const api = await serve((request, response) => {
    const { method = 'GET', url, headers } = request
    const init = { method, headers: { authorization: headers.authorization ?? '' } }
    void fetch(`https://api.test${url}`, init).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' })
      response.end(await answer.text())
    })
  })
  try {
    const done = await runHere(argumentsOf(wanted, api.url, state))
    const { code: exit } = done
    const requests = seen.map((request) => ({ ...request, query: [...request.query] }))
    return { exit, requests, ...summary(done, api.url) }
  } finally {
    api.stop()
  }
}

function argumentsOf(wanted: Case, url: string, state: unknown[] | undefined): string[] {
  const manifest = folder.write('manifest.yaml', present({ ...MANIFEST, ...wanted.manifest }))
  const given = [wanted.command, '--manifest', manifest]
  if (wanted.arguments) return [...given, ...wanted.arguments]
  if (!['check', 'discover', 'read'].includes(wanted.command)) return given
  const config = present({ base: url, api_key: 'very-secret', ...wanted.config })
  given.push('--config', folder.write('config.json', config))
  if (wanted.streams) {
    given.push('--catalog', folder.write('catalog.json', catalogOf(wanted.streams)))
  }
  if (state) given.push('--state', folder.write('state.json', exactJson(state)))
  return given
}

const present = (object: JsonObject) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))

const asList = (states: Record<string, JsonObject> = {}) =>
  Object.entries(states).map(([name, state]) => ({
    type: 'STREAM',
    stream: { stream_descriptor: { name }, stream_state: state },
  }))

/** As `run.py` sums up: no moment, no order between threads, no text for people. */
function summary({ messages, stderr }: Ended, url: string): Partial<Result> {
  const found = {
    ...{ records: {} as Record<string, JsonObject[]>, states: {} as Record<string, JsonObject> },
    ...{ counts: {} as Record<string, number>, statuses: {} as Record<string, string[]> },
    ...{ errors: [] as unknown[], limited: [] as unknown[] },
  }
  const more: JsonObject = {}
  for (const { type, record, state, trace, ...other } of messages) {
    if (record) listIn(found.records, record.stream).push(record.data)
    if (state) {
      const { name } = state.stream.stream_descriptor
      found.states[name] = state.stream.stream_state
      found.counts[name] = (found.counts[name] ?? 0) + state.sourceStats.recordCount
    }
    const status = trace?.stream_status
    const name = status?.stream_descriptor.name
    if (status?.reasons) found.limited.push([name, status.reasons[0].type])
    else if (status) listIn(found.statuses, name).push(status.status)
    const error = trace?.error
    if (error) found.errors.push([error.failure_type, error.stream_descriptor?.name ?? null])
    if (type === 'CONNECTION_STATUS') more.status = other.connectionStatus.status
    if (type === 'CATALOG') more.catalog = other.catalog
    if (type === 'SPEC') more.spec = other.spec
    if (type === 'CONTROL') more.control = other.control.connectorConfig.config
  }
  // Wrong use is told to the person, everything else in messages.
  expect(stderr === '').toBe(messages.length > 0)
  const kept = Object.entries({ ...found, ...more }).filter(([, value]) => size(value) > 0)
  return toJson(
    loads((exactJson(Object.fromEntries(kept)) ?? '').replaceAll(url, 'https://api.test')),
  ) as Partial<Result>
}

function listIn<T>(lists: Record<string, T[]>, name: string): T[] {
  lists[name] ??= []
  return lists[name]
}

const size = (value: unknown) =>
  typeof value === 'object' && value !== null ? Object.keys(value).length : 1

/** Without what is different on purpose; everything that has no order as text, sorted. */
function comparable({
  requests = [],
  records,
  states,
  statuses,
  errors,
  control,
  ...rest
}: Result) {
  const { __injected_declarative_manifest: _, ...config } = (control ?? {}) as JsonObject
  return {
    ...rest,
    counts: undefined,
    ...(control ? { control: config } : {}),
    requests: requests.map(stable).sort(),
    records: Object.entries(records ?? {}).map(([name, all]) => [name, all.map(stable).sort()]),
    errors: errors?.map(comparableError).sort(),
    statuses: comparableStatuses(statuses),
    ...comparableStates(states, rest.counts, statuses),
  }
}

/** What is wrong before a stream is read lies in the config for us; the CDK says nothing, or that it is a bug. */
const comparableError = ([type, stream]: [string | null, string | null]) =>
  stream === null ? 'before a stream' : `${stream}: ${type}`

/** We say of a stream that is gone that it was begun, too. */
const comparableStatuses = (statuses: Result['statuses']) =>
  Object.entries(statuses ?? {})
    .map(([name, all]) => stable([name, all.at(-1) === 'COMPLETE' ? all : all.at(-1)]))
    .sort()

/**
 * The CDK writes a state also for a stream without a cursor that failed, as if it had been read. How
 * long the read took is left out.
 */
function comparableStates(
  states: Result['states'],
  counts: Result['counts'] = {},
  statuses?: Result['statuses'],
) {
  const kept = Object.entries(states ?? {})
    .filter(
      ([name, state]) =>
        !statuses || !(NO_CURSOR in state) || statuses[name]?.at(-1) === 'COMPLETE',
    )
    .map(([name, { lookback_window: _, ...state }]) => {
      const partitions = Array.isArray(state.states) && { states: state.states.map(stable).sort() }
      return { name, state: { ...state, ...partitions }, count: counts[name] }
    })
  return { states: kept.map(stable).sort() }
}

const NO_CURSOR = '__ab_no_cursor_state_message'
