import { AirbyteError, fromRecord, type JsonObject, toAirbyteError } from '../../protocol/index.ts'
import type { CheckResult, Source } from '../../runtime/contract.ts'
import { fromConfiguredCatalog } from './catalog.ts'
import { readObject, readText } from './documents.ts'
import { following } from './follow.ts'
import * as messages from './messages.ts'
import { readAsMessages } from './read.ts'
import type { Session } from './session.ts'
import { parseStates } from './state.ts'

/** What is found wrong is a result; a check that could not be made at all is a failure. */
export async function check(session: Session): Promise<number> {
  const result = await tryOut(session)
  if (result.problem && BROKEN.has(result.problem.code)) throw fromRecord(result.problem)
  session.out.message(messages.statusMessage(result, session.scrubber.scrub))
  return 0
}

const BROKEN = new Set(['INTERNAL', 'STREAM_NOT_FOUND'])

async function tryOut({ opened, ctx, config }: Session): Promise<CheckResult> {
  try {
    return await opened.connector.check(ctx, config())
  } catch (error) {
    return { ok: false, problem: toAirbyteError(error).toJSON() }
  }
}

export async function discover(session: Session): Promise<number> {
  const catalog = await sourceOf(session).discover(session.ctx, session.config())
  session.out.message(messages.catalogMessage(catalog))
  return 0
}

/** 1 when a stream failed; a stream that is gone is incomplete and no failure, as the CDK has it. */
export async function read(session: Session): Promise<number> {
  const { args, stdin, ctx, out, scrubber, stop } = session
  const { catalog = '', state } = args
  const config = session.config()
  const source = followable(sourceOf(session), config)
  const { failed, stopped } = await readAsMessages({
    ...{ source, ctx, out, scrub: scrubber.scrub, config },
    streams: fromConfiguredCatalog(await readObject(catalog, stdin), catalog),
    state: parseStates(state ? await readText(state, stdin) : '', state ?? ''),
    stop,
    onConfig: (changed) => scrubber.learn(source.spec().connectionSpecification, changed),
  })
  if (failed.length > 0) out.message(messages.failedStreamsMessage(failed))
  if (stopped) return stop.exitCode ?? 1
  return failed.length > 0 ? 1 : 0
}

/** Nobody but this process reads the log of a source that is read by it. */
function followable(source: Source, config: JsonObject): Source {
  return source.log?.isUsed(config) ? following(source, source.log) : source
}

function sourceOf({ opened }: Session): Source {
  if (opened.kind === 'source') return opened.connector
  throw new AirbyteError('UNSUPPORTED', `${opened.connector.info.name} is no source.`)
}
