import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type {
  AirbyteStream,
  ErrorCode,
  JsonObject,
  ReadEvent,
  StreamState,
} from '../../../../src/protocol/index.ts'
import type { CustomComponents } from '../../../../src/runtime/declarative/custom/index.ts'
import { toAirbyteState } from '../../../../src/runtime/declarative/index.ts'
import { parseYaml } from '../../../../src/runtime/declarative/manifest/parse-yaml.ts'
import { NEWEST } from '../../../../src/runtime/declarative/versions/changes.ts'
import { type TestContext, testContext } from '../../../conformance/context.ts'
import { configure, readStream, rowsOfEvents, statesOf } from '../../../conformance/reading.ts'
import { type SourceSetup, sourceConformance } from '../../../conformance/source-suite.ts'
import { cdkGoldens, goldenOf } from './cdk-golden.ts'
import { loadConnector } from './connector.ts'
import type { ApiDocument } from './document.ts'
import { type MockAnswer, MockApi, type MockRequest, type MockRoutes } from './mock-api.ts'
import { recordsOf, schemaProblems, secretsIn } from './record-rules.ts'
import { StillClock } from './still-clock.ts'

/** A first-party declarative connector and the vendor that it is tested against. */
export interface MockedConnector {
  /** Its folder in `connectors/sources`. */
  name: string
  /** A config with which every stream exists and has rows. */
  config: JsonObject
  /** Configs that `check` must find wrong; at least one has a wrong token. */
  badConfigs: { title: string; config: JsonObject; codes: ErrorCode[] }[]
  /** The vendor's hosts, with scheme. */
  origins: string[]
  /** The vendor's own description of the API. */
  document?: () => ApiDocument
  /** Of its `components.ts`, where it has one. */
  components?: CustomComponents
  /** The vendor's API, with its rows as they are at first. */
  open(): MockedApi
}

export interface MockedApi {
  routes: MockRoutes
  /** The vendor's answer to wrong credentials. */
  authorize(request: MockRequest): MockAnswer | undefined
  /** Every stream of the manifest. */
  streams: Record<string, MockedStream>
  /** How the vendor says that a client is too fast, and how long the client has to wait. */
  rateLimits: { answer: MockAnswer; seconds: number }[]
}

export interface MockedStream {
  /** How many rows the stream has now. */
  rows(): number
  /** Needs no second page: the vendor does not page it. */
  onePage?: true
  /** Fields that no row fills, because no synthetic row can. */
  empty?: string[]
  incremental?: {
    /** The query parameter or body field with the cursor; absent where the manifest filters. */
    sends?: string
    /** The vendor's `since` takes in the moment itself, so the newest rows come again. */
    again?: true
    /** Adds three rows newer than all others. */
    grow(): void
    /** Changes an old row as the vendor does. Absent: rows of this kind never change. */
    touch?(): void
    /** Deletes an old row, where the vendor tells of it and the connector passes that on. */
    remove?(): void
  }
}

/** The vendor anew, and a context whose network leads there. */
export async function openVendor({ origins, document: describe, open }: MockedConnector) {
  const { routes, authorize, streams: kinds, rateLimits } = open()
  const document = describe?.()
  const api = await new MockApi({ origins, routes, authorize, document }).start()
  const ctx = (signal?: AbortSignal) =>
    testContext({ http: api.http, ...(signal ? { signal } : {}) })
  return { api, ctx, kinds, rateLimits }
}

/** The records of one stream under another config than the suite's, and what was asked for. */
export async function readMocked(
  mocked: MockedConnector,
  { config, stream }: { config: JsonObject; stream: string },
): Promise<{ records: JsonObject[]; paths: string[] }> {
  const clock = new StillClock()
  const { source } = loadConnector(mocked.name, clock.patience, mocked.components)
  const { api, ctx } = await openVendor(mocked)
  clock.start()
  try {
    const { streams } = await source.discover(ctx(), config)
    const found = streams.find(({ name }) => name === stream)
    if (!found) throw new Error(`${stream} was not discovered`)
    const events = await readStream({ source, config, ctx: ctx() }, configure(found))
    const failed = events.find((event) => event.type === 'error')
    if (failed?.type === 'error') throw new Error(failed.error.message)
    expect(api.violations.join('\n')).toBe('')
    const paths = api.requests.map(({ url }) => decodeURIComponent(url.pathname + url.search))
    return { records: recordsOf(events), paths }
  } finally {
    clock.stop()
    await api.stop()
  }
}

/** The values of a parameter or body field in the requests so far. */
const sentAs = (name: string, { requests }: MockApi): string[] =>
  requests.flatMap(({ query, body }) => query.get(name) ?? JSON.stringify(body[name]) ?? [])

/**
 * The conformance suite of sources over a declarative connector and a mock of its vendor, and the
 * rules that every first-party manifest keeps.
 */
export function declarativeConformance(mocked: MockedConnector): void {
  const { name, config, components } = mocked
  const clock = new StillClock()
  const { source, manifest } = loadConnector(name, clock.patience, components)
  const streams = Object.entries(mocked.open().streams)
  const goldens = cdkGoldens(name)

  const open = () => openVendor(mocked)

  async function setup(): Promise<SourceSetup> {
    const { api, ctx, kinds } = await open()
    return {
      ...{ config, ctx, badConfigs: mocked.badConfigs },
      async grow(stream) {
        kinds[stream.name]?.incremental?.grow()
        return config
      },
      async dispose() {
        await api.stop()
        expect(api.violations.join('\n')).toBe('')
      },
    }
  }

  describe(`declarative connector ${name}`, () => {
    beforeAll(() => clock.start())
    beforeEach(() => clock.start())
    afterAll(() => clock.stop())

    sourceConformance(
      source,
      streams
        .map(([stream, { rows, incremental }]) => ({
          ...{ name: stream, rows: rows() },
          ...(incremental?.again ? { again: true as const } : {}),
        }))
        .sort((a, b) => b.rows - a.rows),
      setup,
    )

    describe('keeps the rules of first-party manifests', () => {
      let live: Awaited<ReturnType<typeof open>>
      let found: AirbyteStream[]
      beforeEach(async () => {
        live = await open()
        found = (await source.discover(live.ctx(), config)).streams
        live.api.requests.length = 0
      })
      afterEach(async () => {
        await live.api.stop()
        expect(live.api.violations.join('\n')).toBe('')
      })
      const streamOf = (stream: string) => {
        const known = found.find((candidate) => candidate.name === stream)
        if (!known) throw new Error(`${stream} was not discovered`)
        return known
      }

      it('has exactly the streams that are tested', () => {
        expect(found.map((stream) => stream.name).sort()).toEqual(
          streams.map(([stream]) => stream).sort(),
        )
      })

      it('is written in the newest language', () => {
        expect(parseYaml(manifest).version).toBe(NEWEST)
      })

      it('knows nothing of stream_state', () => {
        expect(manifest).not.toContain('stream_state')
      })

      it('refuses wrong credentials and tells nobody what they were', async () => {
        for (const { config: bad } of mocked.badConfigs) {
          const ctx = live.ctx()
          const { ok, problem } = await source.check(ctx, bad)
          expect(ok).toBe(false)
          expect(problem?.message).toMatch(/\w{3,}/)
          const told = JSON.stringify(problem) + ctx.lines.join('\n')
          for (const secret of secretsIn(source.spec().connectionSpecification, bad)) {
            expect(told).not.toContain(secret)
          }
        }
      })

      it('waits as long as the vendor asks, and then reads on', async () => {
        expect(live.rateLimits.length).toBeGreaterThan(0)
        const [stream, kind] = streams[0] as (typeof streams)[0]
        for (const { answer, seconds } of live.rateLimits) {
          // Anew: some vendors name the moment until when one has to wait.
          clock.start()
          live.api.answerNext(answer)
          const { rows } = await read(live.ctx(), streamOf(stream))
          expect(rows).toHaveLength(kind.rows())
          const [waited = 0] = clock.waits
          expect(waited / 1000).toBeGreaterThanOrEqual(seconds)
          expect(waited / 1000).toBeLessThanOrEqual(seconds + 5)
        }
      })

      for (const [stream, kind] of streams) {
        it(`${stream}: every field is in the schema, every field is filled, keys are unique`, async () => {
          const ctx = live.ctx()
          const described = streamOf(stream)
          const { events } = await read(ctx, described)
          const records = recordsOf(events)
          expect(records.length).toBeGreaterThan(0)
          expect(ctx.lines.filter((line) => line.includes('is not in the schema')).join('\n')).toBe(
            '',
          )
          expect(schemaProblems(described, records, kind.empty ?? []).join('\n')).toBe('')
          const key = described.source_defined_primary_key ?? []
          const keys = records.map((record) =>
            JSON.stringify(key.map(([field = '']) => record[field])),
          )
          if (key.length > 0) expect(new Set(keys).size).toBe(records.length)
        })

        if (goldens) {
          it(`${stream}: has the records and the state that Airbyte's CDK has`, async () => {
            const { events, state = {} } = await read(live.ctx(), streamOf(stream), {})
            const ours = goldenOf(recordsOf(events), toAirbyteState(state))
            expect(ours).toEqual(goldens[stream])
          })
        }

        it(`${stream}: is read over more than one page`, async () => {
          await read(live.ctx(), streamOf(stream))
          // Pages of one resource differ in their parameters or body only.
          const pages = new Map<string, number>()
          for (const { method, url } of live.api.requests) {
            const resource = `${method} ${url.pathname}`
            pages.set(resource, (pages.get(resource) ?? 0) + 1)
          }
          if (!kind.onePage) expect(Math.max(...pages.values())).toBeGreaterThan(1)
        })

        it(`${stream}: says what an incremental read sees, and that is what it sees`, async () => {
          const described = streamOf(stream)
          const { incremental } = live.kinds[stream] ?? {}
          const modes = described.supported_sync_modes
          expect(modes.includes('incremental')).toBe(incremental !== undefined)
          if (!incremental) return expect(described.captures).toBeUndefined()
          const first = {
            ...(await read(live.ctx(), described, {})),
            sent: sentAs(incremental.sends ?? '', live.api),
          }
          incremental.touch?.()
          live.api.requests.length = 0
          const second = await read(live.ctx(), described, first.state)
          const changed = second.rows.filter((row) => !first.rows.includes(row))
          incremental.remove?.()
          const third = await read(live.ctx(), described, second.state)
          const known = [...first.rows, ...second.rows]
          expect(described.captures).toEqual({
            creates: true,
            updates: changed.length > 0,
            deletes: third.rows.some((row) => !known.includes(row)),
          })
          const { sends } = incremental
          if (!sends) return
          // Where the newest rows are young, the windows are the last ones of the first read.
          const sent = sentAs(sends, live.api)
          expect(sent.length).toBeGreaterThan(0)
          expect(first.sent).not.toEqual(sent)
        })
      }
    })
  })

  async function read(ctx: TestContext, stream: AirbyteStream, state?: StreamState) {
    const syncMode = state ? 'incremental' : 'full_refresh'
    const events: ReadEvent[] = await readStream(
      { source, config, ctx },
      configure(stream, { syncMode }),
      state && Object.keys(state).length > 0 ? state : undefined,
    )
    const failed = events.find((event) => event.type === 'error')
    if (failed?.type === 'error') throw new Error(JSON.stringify(failed.error))
    return { events, rows: rowsOfEvents(events), state: statesOf(events).at(-1) }
  }
}
