import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ConfiguredStream, JsonObject, ReadEvent } from '../../../src/protocol/index.ts'
import { AirbyteError, type StreamState, toAirbyteError } from '../../../src/protocol/index.ts'
import type { SourceOwner } from '../../../src/runtime/contract.ts'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'
import { ownerOfRun } from '../../../src/runtime/declarative/owner-of-run.ts'
import { testContext } from '../../conformance/context.ts'
import { manifestOf } from './oracle.ts'

const INFO = {
  ...{ name: 'shop', title: 'Shop', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}

const requester = (path: string, more: JsonObject = {}): JsonObject => ({
  ...{ type: 'HttpRequester', url_base: 'https://api.test', path },
  ...more,
})

const RETRIEVER: JsonObject = {
  type: 'AsyncRetriever',
  status_mapping: {
    ...{ type: 'AsyncJobStatusMap', running: ['working'], completed: ['done'] },
    ...{ failed: ['broken'], timeout: ['expired'] },
  },
  status_extractor: { type: 'DpathExtractor', field_path: ['status'] },
  download_target_extractor: { type: 'DpathExtractor', field_path: ['urls'] },
  creation_requester: requester('jobs', {
    http_method: 'POST',
    request_headers: { Authorization: 'Bearer hush' },
  }),
  polling_requester: requester("jobs/{{ creation_response['id'] }}"),
  download_requester: requester('{{ download_target }}'),
  download_decoder: { type: 'JsonlDecoder' },
  abort_requester: requester("jobs/{{ creation_response['id'] }}/abort", { http_method: 'POST' }),
  delete_requester: requester("jobs/{{ creation_response['id'] }}/delete", { http_method: 'POST' }),
  record_selector: {
    type: 'RecordSelector',
    extractor: { type: 'DpathExtractor', field_path: [] },
  },
}

/** An API whose jobs take some time, by a clock that only waits move. */
function api({ seconds = 0, fails = [] as string[], lines = 2, status = 'done' } = {}) {
  const clock = { now: Date.UTC(2026, 2, 15) }
  const seen: string[] = []
  const jobs = new Map<string, number>()
  const gone = new Set<string>()
  async function fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url)
    init.signal?.throwIfAborted()
    seen.push(`${init.method ?? 'GET'} ${pathname}`)
    const [, folder, id = '', action] = pathname.split('/')
    if (folder === 'files') {
      if (gone.has(`file ${id}`)) return Response.json({ message: 'expired' }, { status: 404 })
      return new Response(Array.from({ length: lines }, (_, n) => `{"id":${n}}\n`).join(''))
    }
    if (id === '') {
      const key = `900719925474099${jobs.size + 1}`
      jobs.set(key, clock.now)
      return new Response(`{"id":${key},"cookie":"none"}`, { headers: { 'x-hush': 'quiet' } })
    }
    if (action || gone.has(id)) return new Response('{}', { status: action ? 200 : 404 })
    if (fails.includes(id)) return Response.json({ status: 'broken', message: 'no quota' })
    const isDone = clock.now - (jobs.get(id) ?? 0) >= seconds * 1000
    return Response.json({ status: isDone ? status : 'working', urls: [`files/${id}`] })
  }
  /** How many jobs run now. */
  const running = () => [...jobs.values()].filter((at) => clock.now - at < seconds * 1000).length
  return { clock, seen, gone, fetch, running }
}

type Api = ReturnType<typeof api>

const JOBS = [1, 2, 3].map((n) => `900719925474099${n}`)

interface Opening {
  state?: StreamState
  retriever?: JsonObject
  manifest?: JsonObject
  sync?: number
  owner?: SourceOwner
}

async function open(
  { clock, fetch }: Api,
  { state, retriever, manifest, sync = 1, owner }: Opening = {},
) {
  const slept: number[] = []
  const ctx = testContext({ http: { fetch }, now: () => clock.now, owner })
  const stream = {
    retriever: { requester: null, ...RETRIEVER, ...retriever },
    schema_loader: { schema: { properties: { id: { type: 'integer' } } } },
  }
  const source = declarativeSource(manifestOf({ name: '', stream, manifest }), INFO, {
    longestSleepMs: 30_000,
    async sleep(ms) {
      slept.push(ms / 1000)
      clock.now += ms
    },
  })
  const { streams } = await source.discover(ctx, {})
  const configured = streams.map(
    (one): ConfiguredStream => ({
      ...{ stream: one, syncMode: 'full_refresh', destinationSyncMode: 'append', cursorField: [] },
      ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: sync },
      format: 'records',
    }),
  )
  const states = new Map(state ? [['items', state] as const] : [])
  return { ctx, slept, source, events: source.read(ctx, {}, configured, { streams: states }) }
}

/** Reads until the stream waits or ends, as a host that goes on in another invocation does. */
async function until(events: AsyncIterable<ReadEvent>) {
  let state: StreamState | undefined
  let rows = 0
  for await (const event of events) {
    if (event.type === 'state') state = event.state
    if (event.type === 'batch' && event.batch.kind === 'records') rows += event.batch.length
    if (event.type === 'wait') return { state, rows, wait: event }
    if (event.type === 'error') return { state, rows, error: event.error }
  }
  return { state, rows }
}

const plain = (state: StreamState | undefined) => JSON.parse(JSON.stringify(state)) as StreamState

describe('a job that takes long', () => {
  it('is slept for at first, then waited for between invocations, which poll the same job', async () => {
    const server = api({ seconds: 600 })
    const first = await open(server)
    let part = await until(first.events)
    expect(first.slept).toEqual([5, 5, 5, 5, 5, 5])
    expect(part.wait).toMatchObject({ stream: 'items', until: server.clock.now + 15_000 })
    let invocations = 1
    while (part.wait) {
      server.clock.now = part.wait.until
      const next = await open(server, { state: plain(part.state) })
      part = await until(next.events)
      expect(next.slept).toEqual([])
      invocations++
    }
    expect(part).toMatchObject({ rows: 2 })
    expect(part.error).toBeUndefined()
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(1)
    expect(invocations).toBeLessThan(20)
    expect(server.seen.at(-1)).toBe(`POST /jobs/${JOBS[0]}/delete`)
  })

  it('is waited for by the source itself when the host asks for more', async () => {
    const server = api({ seconds: 600 })
    const { events, slept } = await open(server)
    const types: string[] = []
    for await (const event of events) types.push(event.type)
    expect(types.filter((type) => type === 'wait').length).toBeGreaterThan(3)
    expect(Math.max(...slept)).toBeLessThanOrEqual(60)
    expect(types.at(-1)).toBe('status')
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(1)
  })

  it('is saved before anything else, so that a crash while polling does not lose it', async () => {
    const server = api({ seconds: 20 })
    const { events } = await open(server)
    const iterator = events[Symbol.asyncIterator]()
    let state: StreamState | undefined
    while (!state) {
      const { value } = await iterator.next()
      if (value?.type !== 'state') continue
      state = plain(value.state)
      expect(value.keep).toBe(true)
    }
    expect(server.seen).toEqual(['POST /jobs'])
    expect(await until((await open(server, { state })).events)).toMatchObject({ rows: 2 })
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(1)
  })

  it('keeps every digit of its id, and neither headers nor credentials, in the position', async () => {
    const { state } = await until((await open(api({ seconds: 600 }))).events)
    const text = JSON.stringify(state)
    expect(text).toContain(String(JOBS[0]))
    expect(text).not.toContain('hush')
    expect(text).not.toContain('quiet')
  })

  it('is given up after three timeouts, each aborted', async () => {
    const server = api({ seconds: 1e9 })
    const { events } = await open(server, { retriever: { polling_job_timeout: 2 } })
    let last: ReadEvent | undefined
    for await (const event of events) {
      if (event.type === 'error') last = event
    }
    expect(last).toMatchObject({
      error: {
        code: 'JOB_FAILED',
        kind: 'system',
        message: expect.stringContaining('ran out of time 3'),
      },
    })
    expect(server.seen.filter((line) => line.startsWith('POST'))).toEqual(
      JOBS.flatMap((id) => ['POST /jobs', `POST /jobs/${id}/abort`]),
    )
  })
})

describe('a job of an earlier invocation', () => {
  async function waiting(server: Api) {
    const { state } = await until((await open(server)).events)
    return plain(state)
  }

  it('that the API has forgotten is created anew', async () => {
    const server = api({ seconds: 60 })
    const state = await waiting(server)
    server.gone.add(String(JOBS[0]))
    server.clock.now += 86_400_000
    let part = await until((await open(server, { state })).events)
    while (part.wait) {
      server.clock.now = part.wait.until
      part = await until((await open(server, { state: plain(part.state) })).events)
    }
    expect(part).toMatchObject({ rows: 2 })
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(2)
  })

  it('that was done long ago is downloaded all the same, though its time is over', async () => {
    const server = api({ seconds: 60 })
    const state = await waiting(server)
    server.clock.now += 30 * 86_400_000
    expect(await until((await open(server, { state })).events)).toMatchObject({ rows: 2 })
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(1)
  })

  it('whose file has expired is created anew', async () => {
    const server = api({ seconds: 60, lines: 12_000 })
    const begun = await open(server, { state: await waiting(server) })
    server.clock.now += 60_000
    const iterator = begun.events[Symbol.asyncIterator]()
    let state: StreamState | undefined
    let rows = 0
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      if (next.value.type === 'batch' && next.value.batch.kind === 'records') {
        rows += next.value.batch.length
      }
      if (next.value.type === 'state') state = plain(next.value.state)
      if (next.value.type === 'state' && rows > 0) break
    }
    await iterator.return?.()
    expect(rows).toBeLessThan(12_000)
    server.gone.add(`file ${JOBS[0]}`)
    let part = await until((await open(server, { state })).events)
    while (part.wait) {
      server.clock.now = part.wait.until
      part = await until((await open(server, { state: plain(part.state) })).events)
    }
    expect(part).toMatchObject({ rows: 12_000 })
  })

  it('that failed for good has attempts again in another sync', async () => {
    const fails = [...JOBS]
    const server = api({ seconds: 60, fails })
    const { state, error } = await until((await open(server)).events)
    expect(error).toMatchObject({ code: 'JOB_FAILED' })
    server.seen.length = 0
    const again = await until((await open(server, { state: plain(state), sync: 2 })).events)
    expect(server.seen.filter((line) => line === 'POST /jobs').length).toBeGreaterThan(0)
    expect(again.error).toBeUndefined()
  })
})

describe('a job that goes wrong', () => {
  it('is tried three times, and the error has what the API says', async () => {
    const server = api({ fails: JOBS })
    const { error } = await until((await open(server)).events)
    expect(error).toMatchObject({
      ...{ code: 'JOB_FAILED', stream: 'items' },
      message: expect.stringMatching(/failed 3 times.* The API says: no quota/),
    })
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(3)
  })

  it('with a status that the mapping does not have is an error that names it, and is aborted', async () => {
    const server = api({ status: 'pondering' })
    const { error } = await until((await open(server)).events)
    expect(error).toMatchObject({
      ...{ code: 'JOB_FAILED', field: expect.stringContaining('status_mapping') },
      message: expect.stringContaining("'pondering'"),
    })
    expect(server.seen).toEqual([
      'POST /jobs',
      `GET /jobs/${JOBS[0]}`,
      `POST /jobs/${JOBS[0]}/abort`,
    ])
  })

  it('is an error when its download is not there', async () => {
    const server = api()
    server.gone.add(`file ${JOBS[0]}`)
    const { error } = await until((await open(server)).events)
    expect(error).toMatchObject({ code: 'REQUEST_REFUSED', stream: 'items' })
  })

  it('is an error when its download is gzip that is cut', async () => {
    const server = api()
    const { fetch } = server
    const packed = gzipSync('{"id":1}\n'.repeat(1000)).subarray(0, 40)
    server.fetch = async (url, init) =>
      String(url).includes('files') ? new Response(packed) : fetch(url, init)
    const retriever = {
      download_decoder: { type: 'GzipDecoder', decoder: { type: 'JsonlDecoder' } },
    }
    await expect(until((await open(server, { retriever })).events)).rejects.toMatchObject({
      code: 'UPSTREAM_ERROR',
      message: expect.stringContaining('cut or damaged'),
    })
  })

  it('says so when it leaves nothing to download', async () => {
    const server = api()
    const { fetch } = server
    server.fetch = async (url, init) =>
      String(url).endsWith(String(JOBS[0])) ? Response.json({ status: 'done' }) : fetch(url, init)
    const { ctx, events } = await open(server)
    expect(await until(events)).toMatchObject({ rows: 0 })
    expect(ctx.lines.join()).toContain('left nothing to download')
  })
})

describe('a read that is cancelled', () => {
  /** A network that ends with the read, but for what is to be tidied up. */
  function cancellable(server: Api, signal: () => AbortSignal) {
    const { fetch } = server
    server.fetch = async (url, init = {}) => {
      if (!(init as { afterCancel?: boolean }).afterCancel) signal().throwIfAborted()
      return fetch(url, init)
    }
  }

  async function stopped(reason: AirbyteError, state?: StreamState) {
    const server = api({ seconds: 600 })
    const opened = await open(server, { state })
    cancellable(server, () => opened.ctx.signal)
    const reading = (async () => {
      for await (const event of opened.events) if (event.type === 'wait') opened.ctx.abort(reason)
    })()
    await reading.catch((error: unknown) => toAirbyteError(error))
    return server.seen
  }

  it('aborts the job that it waits for', async () => {
    const seen = await stopped(new AirbyteError('CANCELLED', 'The sync was cancelled.'))
    expect(seen.at(-1)).toBe(`POST /jobs/${JOBS[0]}/abort`)
  })

  it('leaves the job to the invocation that superseded it', async () => {
    const seen = await stopped(new AirbyteError('FENCE_LOST', 'A newer claim goes on.'))
    expect(seen.join()).not.toContain('abort')
  })

  it('aborts a job that an earlier invocation began', async () => {
    const server = api({ seconds: 600 })
    const { state } = await until((await open(server)).events)
    const opened = await open(server, { state: plain(state) })
    cancellable(server, () => opened.ctx.signal)
    opened.ctx.abort(new AirbyteError('CANCELLED', 'The sync was cancelled.'))
    await until(opened.events).catch(() => {})
    expect(server.seen.at(-1)).toBe(`POST /jobs/${JOBS[0]}/abort`)
  })
})

describe('a check', () => {
  it('is content with a job that was created, and aborts it', async () => {
    const server = api({ seconds: 600 })
    const { source, ctx } = await open(server)
    expect(await source.check(ctx, {})).toEqual({ ok: true })
    expect(server.seen).toEqual(['POST /jobs', `POST /jobs/${JOBS[0]}/abort`])
  })
})

describe('jobs at once', () => {
  const shops = ['a', 'b', 'c', 'd', 'e', 'f']
  const retriever: JsonObject = {
    partition_router: { type: 'ListPartitionRouter', values: shops, cursor_field: 'shop' },
    creation_requester: requester("jobs?shop={{ stream_partition['shop'] }}", {
      http_method: 'POST',
    }),
    download_requester: requester('{{ download_target }}'),
  }
  const manifest = { max_concurrent_async_job_count: 3 }

  it('are as many as the manifest lets run, of the slices to come', async () => {
    const server = api({ seconds: 20 })
    const { fetch } = server
    let most = 0
    server.fetch = async (...given) => {
      const answer = await fetch(...given)
      most = Math.max(most, server.running())
      return answer
    }
    const { events, slept } = await open(server, { retriever, manifest })
    expect(await until(events)).toMatchObject({ rows: 12 })
    expect(most).toBe(3)
    // Two rounds of twenty seconds, not six.
    expect(slept.reduce((sum, seconds) => sum + seconds)).toBeLessThanOrEqual(60)
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(6)
  })

  it('are one where the manifest says nothing, or nothing that makes sense', async () => {
    for (const given of [undefined, 0, '{{ config.none }}']) {
      const server = api()
      const opened = await open(server, {
        ...{ retriever },
        ...(given === undefined ? {} : { manifest: { max_concurrent_async_job_count: given } }),
      })
      await until(opened.events)
      expect(server.seen.slice(0, 3)).toEqual([
        'POST /jobs',
        `GET /jobs/${JOBS[0]}`,
        `GET /files/${JOBS[0]}`,
      ])
    }
  })

  it('are each created once, however often the read goes on in another isolate', async () => {
    const server = api({ seconds: 100 })
    let state: StreamState | undefined
    let rows = 0
    for (let stops = 0; stops < 200; stops++) {
      const { events } = await open(server, { state, retriever, manifest })
      let isOver = true
      for await (const event of events) {
        if (event.type === 'batch' && event.batch.kind === 'records') rows += event.batch.length
        if (event.type !== 'state') continue
        state = plain(event.state)
        isOver = state.done === true
        // The host stops at every checkpoint.
        break
      }
      if (isOver) break
      server.clock.now += 10_000
    }
    expect(rows).toBe(12)
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(6)
    expect(server.seen.filter((line) => line.endsWith('/delete'))).toHaveLength(6)
  })

  it('are each wrong at their own turn', async () => {
    const server = api()
    const { fetch } = server
    server.fetch = async (url, init) =>
      String(url).endsWith(`/jobs/${JOBS[1]}`)
        ? Response.json({ status: 'pondering' })
        : fetch(url, init)
    const { rows, error } = await until((await open(server, { retriever, manifest })).events)
    expect(rows).toBe(10)
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(6)
    expect(error).toMatchObject({
      code: 'JOB_FAILED',
      message: expect.stringMatching(/1 partition could not be read .*pondering/),
    })
  })

  it('are as many for the whole source, however many reads of it there are', async () => {
    const server = api({ seconds: 40 })
    const owner = ownerOfSeats()
    const first = await until((await open(server, { owner, sync: 1 })).events)
    expect(first.wait?.reason).toContain('not done yet')
    const second = await until((await open(server, { owner, sync: 2 })).events)
    expect(second.wait?.reason).toContain('as many jobs as it takes')
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(1)

    server.clock.now += 60_000
    const done = await until(
      (await open(server, { owner, sync: 1, state: plain(first.state) })).events,
    )
    expect(done).toMatchObject({ rows: 2 })
    const next = await open(server, { owner, sync: 2, state: plain(second.state) })
    await until(next.events)
    expect(server.seen.filter((line) => line === 'POST /jobs')).toHaveLength(2)
  })
})

/** What a source's object does about seats. */
function ownerOfSeats(): SourceOwner {
  const holders = new Set<string>()
  return {
    ...ownerOfRun(Date.now),
    token: () => Promise.reject(new Error('this source has no tokens')),
    saveConfig: async () => {},
    async takeSeat(_key, holder, limit) {
      if (!holders.has(holder) && holders.size >= limit) return false
      holders.add(holder)
      return true
    },
    async leaveSeat(_key, holder) {
      holders.delete(holder)
    },
  }
}
