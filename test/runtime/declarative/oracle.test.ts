import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type ErrorRecord,
  FILE_REFERENCE,
  type JsonObject,
  plainState,
  type StreamState,
  toAirbyteError,
} from '../../../src/protocol/index.ts'
import type { ObjectStore, Source } from '../../../src/runtime/contract.ts'
import { fileUploader } from '../../../src/runtime/declarative/files/uploader.ts'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { openSource } from '../../../src/runtime/declarative/open.ts'
import { toJson } from '../../../src/runtime/declarative/python/json.ts'
import { openStream } from '../../../src/runtime/declarative/stream/delegate.ts'
import { listStreams } from '../../../src/runtime/declarative/stream/list.ts'
import { readPages } from '../../../src/runtime/declarative/stream/read-pages.ts'
import { fromAirbyteState } from '../../../src/runtime/declarative/stream/state.ts'
import { memoryStore } from '../../../src/staging/memory-store.ts'
import { type TestContext, testContext } from '../../conformance/context.ts'
import { components } from './custom-classes.ts'
import {
  cases,
  configuredOf,
  type Golden,
  goldens,
  manifestOf,
  type OracleCase,
  responder,
  type Seen,
  stable,
} from './oracle.ts'

const NOW = '2026-03-15T12:00:00Z'
const GOLDENS = goldens()

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('the same as the CDK', () => {
  for (const wanted of cases()) {
    const title = wanted.differs ? `${wanted.name} (differs: ${wanted.differs})` : wanted.name
    it(title, async () => {
      const golden = GOLDENS[wanted.name]
      if (!golden) throw new Error('This case has no golden: run test/oracle/manifests/run.py.')
      expect(golden.cdk).toBe(wanted.cdk)
      vi.spyOn(Math, 'random').mockReturnValue(0.5)
      vi.useFakeTimers({ toFake: ['Date'], now: new Date(wanted.now ?? NOW) })
      const ours = await run(wanted)
      const [actual, expected] = [ours, golden].map((result) => comparable(result, wanted))
      if (wanted.differs) expect(actual).not.toEqual(expected)
      else expect(actual).toEqual(expected)
    })
  }
})

/**
 * Requests and records in any order; of a state the time that the sync took is left out. A check
 * that throws has failed; of a catalog and a spec what says nothing is left out.
 */
function comparable(result: Golden, { cdk, distinct, command }: OracleCase) {
  const { cdk: _, requests, records, states, waits, catalog, spec, ...others } = result
  const rest: Partial<Golden> = others.refused && command === 'check' ? { check: 'FAILED' } : others
  const made = requests.map(withReadableToken).map(stable).sort()
  return {
    ...rest,
    ...(rest.refused ? { refused: true } : {}),
    catalog: catalog?.map(({ is_file_based: _, is_resumable, json_schema, ...stream }) => ({
      ...stream,
      ...(is_resumable ? { is_resumable } : {}),
      properties: (json_schema as JsonObject).properties,
    })),
    spec: spec && { ...spec, supportsNormalization: undefined, supportsDBT: undefined },
    requests: distinct ? [...new Set(made)] : made,
    records: Object.fromEntries(
      Object.entries(records ?? {}).map(([name, all]) => [
        name,
        all.map(withoutNulls).map(stable).sort(),
      ]),
    ),
    states: Object.fromEntries(
      Object.entries(states ?? {}).flatMap(([name, state]) => {
        // The CDK writes this one also for a stream that failed; ours is empty then.
        const isNone = '__ab_no_cursor_state_message' in state || Object.keys(state).length === 0
        if (isNone && rest.statuses?.[name] !== 'COMPLETE') return []
        const { lookback_window: _, ...kept } = state
        // Ours is of the newest form always; an older CDK does not write these.
        if (cdk && 'states' in kept)
          for (const name of ['use_global_cursor', 'state']) delete kept[name]
        return [[name, JSON.parse(stable({ ...kept, ...sortedStates(kept) }))]]
      }),
    ),
    waits: waits?.map((seconds) => seconds.toFixed(1)),
  }
}

/** Claims have no order, and signatures follow their order. */
function withReadableToken(request: Seen): Seen {
  const [, token] =
    /^Bearer ([\w-]+\.[\w-]+)\.[\w-]+$/.exec(request.headers?.Authorization ?? '') ?? []
  if (!token) return request
  const parts = token
    .split('.')
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
  return { ...request, headers: { ...request.headers, Authorization: stable(parts) } }
}

/** The CDK leaves nulls out when it writes a record. */
function withoutNulls(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null))
}

function sortedStates({ states }: JsonObject) {
  return Array.isArray(states) ? { states: states.map(stable).sort() } : {}
}

async function run(wanted: OracleCase): Promise<Golden> {
  const { seen, fetch } = responder(wanted.http ?? [], wanted.raw)
  const warehouse = memoryStore()
  const ctx = testContext({ http: { fetch }, warehouse })
  const waits: number[] = []
  const options = {
    components: [components],
    longestSleepMs: 1e9,
    async sleep(ms: number) {
      if (ms >= 500) waits.push(ms / 1000)
      if (wanted.ticks) vi.setSystemTime(Date.now() + ms)
    },
  }
  try {
    const source = declarativeSource(manifestOf(wanted), INFO, options)
    if (wanted.command) return { ...(await command(wanted, source, ctx)), requests: seen }
    const root = loadManifest(manifestOf(wanted))
    const env = openSource(root, ctx, wanted.config ?? {}, options)
    const listed = await listStreams(root, env)
    const result = {
      ...{ requests: seen, records: {}, states: {}, statuses: {}, failures: [] as string[] },
      ...(wanted.waits ? { waits } : {}),
    }
    const names = wanted.read ?? [listed[0]?.name ?? '']
    env.run.configured = configuredOf(names, wanted)
    for (const name of names) await readOne(name, result)
    result.failures.sort()
    return wanted.files ? { ...result, files: await contents(warehouse) } : result

    async function readOne(
      name: string,
      into: Required<Pick<Golden, 'records' | 'states' | 'statuses' | 'failures'>>,
    ) {
      const records: JsonObject[] = []
      let state: StreamState | undefined
      let failure: ErrorRecord | undefined
      const saved = wanted.state?.[name] ?? {}
      const found = listed.find((stream) => stream.name === name)
      if (!found) throw new Error(`no stream ${name}`)
      try {
        const opened = openStream(
          found.component,
          { ...env, stream: name },
          fromAirbyteState(saved),
        )
        const upload = wanted.files && fileUploader(opened.stream, '')
        for await (const page of readPages(opened.stream, opened.saved, 'incremental')) {
          if (upload) await upload(page.records)
          for (const record of page.records) delete record[FILE_REFERENCE]
          records.push(...(page.records.map(toJson) as JsonObject[]))
          state = plainState(page.after().airbyte)
        }
      } catch (error) {
        failure = toAirbyteError(error).toJSON()
        // Its node is at fault, whatever is read.
        if (failure.code === 'VALIDATION_FAILED' && failure.field) throw error
      }
      into.records[name] = records
      if (state) into.states[name] = state
      into.statuses[name] = failure ? 'INCOMPLETE' : 'COMPLETE'
      // What the CDK calls system_error when a part is used wrongly, we lay at the config's door.
      const kind = failure?.code === 'VALIDATION_FAILED' ? 'system' : failure?.kind
      if (kind && !into.failures.includes(`${kind}_error`)) into.failures.push(`${kind}_error`)
    }
  } catch (error) {
    return { refused: toAirbyteError(error).message, requests: seen }
  }
}

async function contents(store: ObjectStore): Promise<Record<string, string>> {
  const { objects } = await store.list('')
  const entries = objects.map(async ({ key }) => {
    const found = await store.get(key)
    return [key, await new Response(found?.body).text()] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

async function command({ command, config = {} }: OracleCase, source: Source, ctx: TestContext) {
  if (command === 'spec') return { spec: { ...source.spec() } as JsonObject }
  if (command === 'discover') {
    const { streams } = await source.discover(ctx, config)
    return { catalog: streams as unknown as JsonObject[] }
  }
  const { ok } = await source.check(ctx, config)
  return { check: ok ? ('SUCCEEDED' as const) : ('FAILED' as const) }
}

const INFO = {
  ...{ name: 'oracle', title: 'Oracle', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '0.0.0', evidence: 'fixtures' as const },
}
