import { dirname, join, relative, resolve } from 'node:path'
import {
  AirbyteError,
  type AirbyteStream,
  type JsonObject,
  streamKey,
} from '../../../protocol/index.ts'
import type { Source } from '../../../runtime/contract.ts'
import { maskSecrets } from '../../../vault/index.ts'
import type { Session } from '../session.ts'
import { type Outcome, type TestCase, type TestCommand, writeCase } from './case.ts'
import { atMoment } from './clock.ts'
import { type Found, type Probe, probeCheck, probeDiscover, probeRead } from './probe.ts'
import { type Recorder, recordingHttp, rulesOf, scrubbed } from './record.ts'
import type { TestReport, TestResult } from './report.ts'

const RECORDS = 5

/** Runs the commands against the API itself. */
export async function testLive(
  session: Session,
  source: Source,
): Promise<Pick<TestReport, 'results' | 'fixtures'>> {
  const { args } = session
  const limit = args.records ?? RECORDS
  const run = new LiveRun(session, source)
  const results: TestResult[] = []

  const check = await run.command('check', async (probe) => ({ found: await probeCheck(probe) }))
  results.push({ name: 'check', ok: check.found.check === true, ...run.summary(check) })

  const discovered = await run.command('discover', probeDiscover)
  const { streams } = discovered.catalog
  results.push({
    ...{ name: 'discover', ok: discovered.found.errors.length === 0, records: streams.length },
    ...run.summary(discovered),
  })
  for (const stream of chosen(streams, args.streams)) {
    const name = streamKey(stream)
    const read = await run.command(
      'read',
      async (probe) => {
        const { count, ...found } = await probeRead(probe, stream, limit)
        return { found, count }
      },
      { name: `read-${name}`, catalog: { streams: [stream] } as unknown as JsonObject, limit },
    )
    const status = read.found.statuses?.[name]
    const ok = read.found.errors.length === 0 && status !== 'INCOMPLETE'
    results.push({ name, ok, status, records: read.count, ...run.summary(read) })
  }
  return { results, ...(run.directory && { fixtures: run.fixtures }) }
}

/** @throws STREAM_NOT_FOUND for a name that is none */
function chosen(streams: AirbyteStream[], names: string[] | undefined): AirbyteStream[] {
  if (!names) return streams
  return names.map((name) => {
    const found = streams.find((stream) => stream.name === name || streamKey(stream) === name)
    if (found) return found
    throw new AirbyteError('STREAM_NOT_FOUND', `The source has no stream '${name}'.`)
  })
}

interface CaseOptions {
  name: string
  catalog: JsonObject
  limit: number
}

class LiveRun {
  readonly fixtures: string[] = []
  /** Where cases are written; undefined: nowhere. */
  readonly directory: string | undefined
  readonly #session: Session
  readonly #source: Source
  readonly #config: JsonObject

  constructor(session: Session, source: Source) {
    const { args } = session
    this.#session = session
    this.#source = source
    this.#config = session.config()
    const beside = args.manifest && join(dirname(args.manifest), 'fixtures')
    this.directory = args.record ?? (args.live ? beside : undefined)
  }

  /** Runs a command; while it is recorded the clock stands still, so that it can be replayed. */
  async command<T extends { found: Found }>(
    command: TestCommand,
    probe: (probe: Probe) => Promise<T>,
    options?: CaseOptions,
  ): Promise<T & { recorder: Recorder }> {
    const { ctx, scrubber } = this.#session
    const recorder = recordingHttp(ctx.http, (secret) => scrubber.add(secret))
    const run = () =>
      probe({ source: this.#source, ctx: { ...ctx, http: recorder.http }, config: this.#config })
    if (this.directory === undefined) return { ...(await run()), recorder }
    const now = ctx.now()
    const result = await atMoment(now, run)
    this.#write(
      command,
      now,
      { ...result.found, requests_count: recorder.exchanges.length },
      recorder,
      options,
    )
    return { ...result, recorder }
  }

  summary({ found, recorder }: { found: Found; recorder: Recorder }) {
    const { scrub } = this.#session.scrubber
    return {
      requests: recorder.exchanges.length,
      problems: found.errors.map(({ contains }) => scrub(contains)),
    }
  }

  #write(
    command: TestCommand,
    now: number,
    expect: Outcome,
    { exchanges }: Recorder,
    options: CaseOptions | undefined,
  ): void {
    const { args, scrubber } = this.#session
    const directory = this.directory ?? ''
    const { connectionSpecification: form } = this.#source.spec()
    const { scrub } = scrubber
    const content: TestCase = {
      ...(args.manifest === undefined
        ? { connector: this.#source.info.name }
        : { manifest_ref: relative(resolve(directory), resolve(args.manifest)) }),
      config: scrubbed(maskSecrets(form, this.#config), scrub),
      now: new Date(now).toISOString(),
      steps: [{ command, ...(options && { catalog: options.catalog, records: options.limit }) }],
      http: rulesOf(exchanges, scrub),
      expect: scrubbed(expect, scrub),
    }
    this.fixtures.push(writeCase(directory, { name: options?.name ?? command, case: content }))
  }
}
