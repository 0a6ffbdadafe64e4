import { afterEach, describe, expect, it, vi } from 'vitest'
import { type JsonObject, plainState, type StreamState } from '../../../src/protocol/index.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { openSource } from '../../../src/runtime/declarative/open.ts'
import { openStream } from '../../../src/runtime/declarative/stream/delegate.ts'
import { listStreams } from '../../../src/runtime/declarative/stream/list.ts'
import { readPages } from '../../../src/runtime/declarative/stream/read-pages.ts'
import { parseState, type SavedState } from '../../../src/runtime/declarative/stream/state.ts'
import { testContext } from '../../conformance/context.ts'
import { kept } from '../../support/kept-state.ts'
import { components } from './custom-classes.ts'
import {
  cases,
  configuredOf,
  goldens,
  manifestOf,
  type OracleCase,
  responder,
  stable,
} from './oracle.ts'

const GOLDENS = goldens()

afterEach(() => {
  vi.useRealTimers()
})

/** Cases that read to their end without waiting, and whose server gives the same answer however often it is asked. */
const repeatable = cases().filter(
  ({ name, http = [], differs, ticks }) =>
    !differs &&
    !ticks &&
    Object.values(GOLDENS[name]?.statuses ?? {}).join() === 'COMPLETE' &&
    http.every(({ respond }) => respond.length === 1),
)

describe('a read that stops after any page', () => {
  for (const wanted of repeatable) {
    it(`goes on with what is left: ${wanted.name}`, async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: new Date(wanted.now ?? '2026-03-15T12:00:00Z') })
      const whole = await read(wanted)
      for (const [stop, { state }] of whole.entries()) {
        if (!state.at) continue
        vi.setSystemTime(Date.now() + 60_000)
        const rest = await read(wanted, state as unknown as StreamState)
        expect(records(rest)).toEqual(records(whole.slice(stop + 1)))
        expect(comparable(rest.at(-1)?.state)).toEqual(comparable(whole.at(-1)?.state))
      }
    })
  }
})

const records = (pages: { records: string[] }[]) => pages.flatMap((page) => page.records)

function comparable(state: SavedState | undefined) {
  const { lookback_window: _, ...airbyte } = plainState<JsonObject>(state?.airbyte ?? {})
  return { ...state, airbyte }
}

async function read(wanted: OracleCase, from?: StreamState) {
  const { fetch } = responder(wanted.http ?? [])
  const root = loadManifest(manifestOf(wanted))
  const ctx = testContext({ http: { fetch } })
  const env = openSource(root, ctx, wanted.config ?? {}, { components: [components] })
  const listed = await listStreams(root, env)
  const found = listed.find(({ name }) => name === (wanted.read?.[0] ?? listed[0]?.name))
  if (!found) throw new Error('no stream')
  env.run.configured = configuredOf([found.name], wanted)
  const { stream, saved: start } = openStream(
    found.component,
    { ...env, stream: found.name },
    parseState(from ?? wanted.state?.[found.name]),
  )
  const pages: { records: string[]; state: SavedState }[] = []
  for await (const page of readPages(stream, start)) {
    const saved = parseState(kept(page.after() as unknown as StreamState))
    pages.push({ records: page.records.map(stable), state: saved })
  }
  return pages
}
