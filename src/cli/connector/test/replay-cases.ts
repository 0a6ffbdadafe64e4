import { AirbyteError, type AirbyteStream } from '../../../protocol/index.ts'
import type { Source } from '../../../runtime/contract.ts'
import type { Session } from '../session.ts'
import { type NamedCase, readCases } from './case.ts'
import { atMoment } from './clock.ts'
import { differences } from './compare.ts'
import { type Found, type Probe, probeCheck, probeDiscover, probeRead } from './probe.ts'
import { replayingHttp } from './replay.ts'
import type { TestResult } from './report.ts'

/** Runs the cases of a directory without network, and compares. */
export async function replayCases(
  session: Session,
  source: Source,
  directory: string,
): Promise<{ results: TestResult[] }> {
  const cases = readCases(directory)
  if (cases.length === 0) {
    throw new AirbyteError('VALIDATION_FAILED', `${directory} holds no cases (*.json).`)
  }
  const results: TestResult[] = []
  for (const one of cases) results.push(await replay(session, source, one))
  return { results }
}

async function replay(
  { ctx }: Session,
  source: Source,
  { name, case: { config, now, steps, http, expect } }: NamedCase,
): Promise<TestResult> {
  const controller = new AbortController()
  const replayer = replayingHttp(http, (reason) => controller.abort(reason))
  const probe: Probe = {
    ...{ source, config },
    ctx: {
      ...ctx,
      http: replayer.http,
      connect: () => Promise.reject(new AirbyteError('EGRESS_REFUSED', 'A replay has no network.')),
      signal: AbortSignal.any([ctx.signal, controller.signal]),
    },
  }
  const found = await atMoment(Date.parse(now), () => run(probe, steps[0]))
  const outcome = { ...found, requests_count: replayer.requests }
  const problems = [...replayer.problems(), ...differences(expect, outcome)]
  const status = Object.values(found.statuses ?? {})[0]
  const records = Object.values(found.records ?? {})[0]?.length
  return { name, ok: problems.length === 0, status, records, requests: replayer.requests, problems }
}

async function run(probe: Probe, step: NamedCase['case']['steps'][0]): Promise<Found> {
  if (step.command === 'check') return probeCheck(probe)
  if (step.command === 'discover') return (await probeDiscover(probe)).found
  const [stream] = (step.catalog?.streams ?? []) as unknown as AirbyteStream[]
  if (!stream) throw new AirbyteError('VALIDATION_FAILED', 'A read of a case names no stream.')
  const { count: _, ...found } = await probeRead(probe, stream, step.records ?? 1)
  return found
}
