import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkConfig } from '../../src/core/config-validation.ts'
import { coerceToLimits } from '../../src/core/normalization/index.ts'
import {
  type AirbyteCatalog,
  type AirbyteStream,
  columnsOf,
  type ErrorCode,
  type JsonObject,
  rowsOf,
  type StreamDescriptor,
  streamKey,
  toAirbyteError,
} from '../../src/protocol/index.ts'
import type { ConnectorContext, Source } from '../../src/runtime/contract.ts'
import {
  batchesOf,
  collect,
  configure,
  type Reading,
  readableFormats,
  readEvents,
  readStream,
  rowsOfEvents,
  statesOf,
} from './reading.ts'
import { secretProblems } from './spec-rules.ts'

/** A stream that the setup provides; the first one should be the largest. */
export interface SuiteStream extends StreamDescriptor {
  rows: number
  /** For an incremental read, where the source defines none. */
  cursorField?: string[]
  /** The source's cursor takes in the moment itself: its newest rows come again with each read. */
  again?: true
}

export interface SourceSetup {
  config: JsonObject
  ctx(signal?: AbortSignal): ConnectorContext
  badConfigs: { title: string; config: JsonObject; codes: ErrorCode[] }[]
  /** Adds three rows to a stream, with cursors beyond all others; resolves with the config to read them. */
  grow(stream: StreamDescriptor): Promise<JsonObject>
  /** Connections that the source holds open, where that can be seen. */
  openConnections?(): Promise<number>
  dispose?(): Promise<void>
}

const ANY = { nulInText: true, nonFinite: true, years: [-1e6, 1e6] as [number, number] }
const MAX_BATCH_ROWS = 5000
const MAX_STATE_BYTES = 16 * 1024 * 1024

/** What makes a source done: each stream × each format it claims, against the `Source` contract. */
export function sourceConformance(
  source: Source,
  streams: SuiteStream[],
  setup: () => Promise<SourceSetup>,
): void {
  describe(`source ${source.info.name}`, () => {
    let live: SourceSetup
    let catalog: AirbyteCatalog
    beforeAll(async () => {
      live = await setup()
      catalog = await source.discover(live.ctx(), live.config)
    })
    afterAll(() => live?.dispose?.())

    const reading = (): Reading => ({ source, config: live.config, ctx: live.ctx() })
    const find = (wanted: StreamDescriptor) => {
      const found = catalog.streams.find((stream) => streamKey(stream) === streamKey(wanted))
      if (!found) throw new Error(`${streamKey(wanted)} was not discovered`)
      return found
    }

    it('has a spec that takes the good config and marks its secrets', () => {
      const { connectionSpecification: spec } = source.spec()
      expect(checkConfig(spec, live.config).problems).toEqual([])
      expect(secretProblems(spec)).toEqual([])
    })

    it('passes its check with a good config', async () => {
      expect(await source.check(live.ctx(), live.config)).toEqual({ ok: true })
    })

    it('says in its check what is wrong with a bad one, without its secrets', async () => {
      for (const { title, config, codes } of live.badConfigs) {
        const result = await source.check(live.ctx(), config)
        expect(result.ok, title).toBe(false)
        expect(codes, title).toContain(result.problem?.code)
        const secret = config.password
        if (typeof secret === 'string') expect(JSON.stringify(result)).not.toContain(secret)
      }
    })

    it('discovers a valid catalog, the same each time', async () => {
      const again = await source.discover(live.ctx(), live.config)
      expect(again).toEqual(catalog)
      const keys = catalog.streams.map(streamKey)
      expect(new Set(keys).size).toBe(keys.length)
      for (const stream of catalog.streams) {
        expect(stream.supported_sync_modes.length).toBeGreaterThan(0)
        const names = new Set(columnsOf(stream.json_schema).map(({ name }) => name))
        expect(names.size, streamKey(stream)).toBeGreaterThan(0)
        const { source_defined_primary_key: key = [], default_cursor_field: cursor } = stream
        for (const path of [...key, ...(cursor ? [cursor] : [])]) {
          expect(names, streamKey(stream)).toContain(path[0])
        }
      }
    })

    it('reports a stream that does not exist, and still reads the others', async () => {
      const [known] = streams
      if (!known) return
      const missing = configure({ ...find(known), name: 'no_such_stream' })
      try {
        const events = await collect(readEvents(reading(), [missing, configure(find(known))]))
        const error = events.find((event) => event.type === 'error')
        expect(error).toMatchObject({ error: { code: 'STREAM_NOT_FOUND' } })
        expect(rowsOfEvents(events)).toHaveLength(known.rows)
      } catch (error) {
        expect(toAirbyteError(error).code).toBe('STREAM_NOT_FOUND')
      }
    })

    it('frees its resources when the reader stops early', async () => {
      const [largest] = streams
      if (!largest) return
      const before = await live.openConnections?.()
      for await (const event of readEvents(reading(), [configure(find(largest))])) {
        if (event.type === 'batch') break
      }
      if (before !== undefined) {
        await expect.poll(() => live.openConnections?.(), { timeout: 3000 }).toBe(before)
      }
    })

    it('ends when it is aborted, with an error, and does not call the stream complete', async () => {
      const [largest] = streams
      if (!largest) return
      const controller = new AbortController()
      const aborted: Reading = { ...reading(), ctx: live.ctx(controller.signal) }
      const ends: string[] = []
      try {
        for await (const event of readEvents(aborted, [configure(find(largest))])) {
          if (event.type === 'batch') controller.abort(new Error('stop'))
          if (event.type === 'error') ends.push('error')
          if (event.type === 'status' && event.status === 'complete') ends.push('complete')
        }
      } catch {
        ends.push('error')
      }
      expect(ends).toEqual(['error'])
    })

    for (const wanted of streams) {
      for (const format of readableFormats(source)) {
        describe(`${streamKey(wanted)} as ${format}`, () => {
          const configured = () => configure(find(wanted), { format })

          it('is read completely, in batches that fit their schema', async () => {
            const events = await readStream(reading(), configured())
            expect(rowsOfEvents(events)).toHaveLength(wanted.rows)
            for (const batch of batchesOf(events)) {
              expect(batch.stream).toBe(streamKey(wanted))
              if (batch.kind !== 'records') continue
              expect(batch.length).toBeLessThanOrEqual(MAX_BATCH_ROWS)
              expect(batch.columns.map((column) => column.length)).toEqual(
                batch.schema.map(() => batch.length),
              )
              // Every cell is of the form that its type asks for, and needs no conversion.
              // A database holds what one of its own kind has.
              const native = batch.schema.find((column) => column.native)?.native?.dialect
              const limits = { ...ANY, ...(native && { native }) }
              expect(coerceToLimits(batch, batch.schema, limits, []).batch).toBe(batch)
              const small = batch.columns.flat().filter((cell) => typeof cell === 'bigint')
              expect(small.some((cell) => Number.isSafeInteger(Number(cell)))).toBe(false)
            }
          })

          it('has the columns that were discovered, in their order', async () => {
            const names = columnsOf(find(wanted).json_schema).map(({ name }) => name)
            for (const batch of batchesOf(await readStream(reading(), configured()))) {
              expect(batch.schema.map(({ name }) => name)).toEqual(names)
            }
          })

          it('starts, runs and completes in this order, with a state after the last row', async () => {
            const events = await readStream(reading(), configured())
            const kinds = events
              .filter(({ type }) => type === 'status' || type === 'batch' || type === 'state')
              .map((event) => (event.type === 'status' ? event.status : event.type))
            expect(kinds[0]).toBe('started')
            expect(kinds.at(-1)).toBe('complete')
            expect(kinds.filter((kind) => kind === 'complete')).toHaveLength(1)
            if (!kinds.includes('batch')) return
            expect(kinds.indexOf('running')).toBeLessThan(kinds.indexOf('batch'))
            expect(kinds.lastIndexOf('batch')).toBeLessThan(kinds.lastIndexOf('state'))
          })

          it('has a state at least every 16 MB', async () => {
            let bytes = 0
            for (const event of await readStream(reading(), configured())) {
              if (event.type === 'state') bytes = 0
              if (event.type !== 'batch') continue
              bytes += event.batch.kind === 'encoded' ? event.batch.bytes.length : 0
              expect(bytes).toBeLessThanOrEqual(MAX_STATE_BYTES)
            }
          })

          it('goes on from every state with exactly the rows that are left', async () => {
            const events = await readStream(reading(), configured())
            const positions = events.flatMap((event, at) => (event.type === 'state' ? [at] : []))
            expect(positions.length).toBeGreaterThan(0)
            for (const at of sample(positions, 12)) {
              const state = statesOf(events.slice(at, at + 1))[0]
              const rest = await readStream(reading(), configured(), state)
              expect(sorted(rowsOfEvents(rest))).toEqual(sorted(rowsOfEvents(events.slice(at))))
            }
          })

          it('gives the same rows in the same order when it is read again', async () => {
            if (!source.capabilities.rereadable) return
            const [first, second] = [
              await readStream(reading(), configured()),
              await readStream(reading(), configured()),
            ]
            expect(rowsOfEvents(second)).toEqual(rowsOfEvents(first))
          })

          it('reads only the selected fields', async () => {
            const [field = ''] = columnsOf(find(wanted).json_schema).map(({ name }) => name)
            const events = await readStream(reading(), {
              ...configured(),
              selectedFields: [field],
            })
            for (const batch of batchesOf(events)) {
              expect(batch.schema.map(({ name }) => name)).toEqual([field])
            }
            expect(batchesOf(events).reduce((sum, batch) => sum + rowsOf(batch), 0)).toBe(
              wanted.rows,
            )
          })

          if (source.capabilities.ranges) {
            it('is split by a value of its key into two ranges, which resume like the whole', async () => {
              const [[field] = []] = find(wanted).source_defined_primary_key ?? []
              if (field === undefined) return
              const whole = await readStream(reading(), configured())
              const value = await middleOf(find(wanted), field)
              const below = { ...configured(), range: { field, to: value } }
              const above = { ...configured(), range: { field, from: value } }
              const [first, second] = [
                await readStream(reading(), below),
                await readStream(reading(), above),
              ]
              expect(rowsOfEvents(second).length).toBeGreaterThan(0)
              expect(sorted([...rowsOfEvents(first), ...rowsOfEvents(second)])).toEqual(
                sorted(rowsOfEvents(whole)),
              )
              await resumes(above, second)
            })
          }

          if (format !== 'records') {
            it('holds the same rows as in records', async () => {
              const wire = await readStream(reading(), configured())
              const records = await readStream(reading(), configure(find(wanted)))
              expect(sorted(rowsOfEvents(wire))).toEqual(sorted(rowsOfEvents(records)))
            })
          }
        })
      }
    }

    for (const wanted of streams) {
      for (const format of readableFormats(source)) {
        it(`${streamKey(wanted)} as ${format}, incremental: reads what is new, once, up to the frozen bound`, async () => {
          const stream = find(wanted)
          if (!stream.supported_sync_modes.includes('incremental')) return
          const cursorField = wanted.cursorField ?? stream.default_cursor_field ?? []
          const configured = configure(stream, { syncMode: 'incremental', cursorField, format })
          const first = await readStream(reading(), configured)
          const before = rowsOfEvents(first).length
          expect(before).toBeGreaterThanOrEqual(wanted.rows)
          await resumes(configured, first, wanted.again)

          let state = statesOf(first).at(-1)
          const known = new Set(wanted.again ? rowsOfEvents(first) : [])
          const fresh = (events: Awaited<ReturnType<typeof readStream>>) =>
            rowsOfEvents(events).filter((row) => !known.has(row))
          const second = await readStream(reading(), configured, state)
          expect(fresh(second)).toEqual([])
          if (wanted.again) expect(rowsOfEvents(second).length).toBeLessThan(before)
          expect(second.at(-1)).toMatchObject({ type: 'status', status: 'complete' })

          state = statesOf(second).at(-1) ?? state
          const stored = new Map(state ? [[streamKey(stream), state]] : [])
          const bounds = await source.freeze?.(live.ctx(), live.config, [configured], {
            streams: stored,
          })
          live.config = await live.grow(wanted)
          const upperBound = bounds?.get(streamKey(stream))
          if (upperBound !== undefined) {
            const bounded = await readStream(reading(), { ...configured, upperBound }, state)
            expect(fresh(bounded)).toEqual([])
            state = statesOf(bounded).at(-1) ?? state
          }
          const third = await readStream(reading(), configured, state)
          expect(fresh(third)).toHaveLength(3)
        })
      }
    }

    /** The text of a field in a row from the middle. */
    async function middleOf(stream: AirbyteStream, field: string): Promise<string> {
      const events = await readStream(reading(), configure(stream, { selectedFields: [field] }))
      const cells = batchesOf(events).flatMap((batch) =>
        batch.kind === 'records' ? (batch.columns[0] ?? []) : [],
      )
      return String(cells[cells.length >> 1])
    }

    async function resumes(
      configured: ReturnType<typeof configure>,
      events: Awaited<ReturnType<typeof readStream>>,
      again?: true,
    ): Promise<void> {
      const states = events.flatMap((event, at) => (event.type === 'state' ? [at] : []))
      // From the state of the complete stream the newest rows come again.
      const positions = again ? states.slice(0, -1) : states
      for (const at of sample(positions, 5)) {
        const rest = await readStream(reading(), configured, statesOf(events.slice(at, at + 1))[0])
        expect(sorted(rowsOfEvents(rest))).toEqual(sorted(rowsOfEvents(events.slice(at))))
      }
    }
  })
}

const sorted = (rows: string[]) => rows.toSorted()

/** Up to `count` of a list, its ends among them. */
function sample<T>(list: T[], count: number): T[] {
  if (list.length <= count) return list
  const step = (list.length - 1) / (count - 1)
  return Array.from({ length: count }, (_, n) => list[Math.round(n * step)] as T)
}
