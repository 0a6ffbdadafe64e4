import { randomUUID } from 'node:crypto'
import { withLimits } from '../../core/sync-engine/with-limits.ts'
import { AirbyteError, isObject, streamKey, toAirbyteError } from '../../protocol/index.ts'
import { parseExactJson } from '../../runtime/exact-json.ts'
import { lineBlocksOf } from '../../runtime/formats/jsonl-read.ts'
import { fromConfiguredCatalog } from './catalog.ts'
import { readObject } from './documents.ts'
import { errorMessage, failedStreamsMessage } from './messages.ts'
import { planToWrite } from './plan.ts'
import type { Session } from './session.ts'
import { StreamWriter } from './stream-writer.ts'
import { WriteSession } from './write-session.ts'

/** How often it is looked whether what was collected should be committed, in milliseconds. */
const TICK_MS = 5_000

/**
 * Messages from standard input into a destination. A STATE is printed again once everything that
 * stood before it is committed. 1 when a stream did not say that it is complete.
 */
export async function write(session: Session): Promise<number> {
  const { args, opened, ctx, stdin, out, stop, scrubber } = session
  if (opened.kind !== 'destination') {
    throw new AirbyteError('UNSUPPORTED', `${opened.connector.info.name} is no destination.`)
  }
  const { catalog = '' } = args
  const config = session.config()
  const destination = withLimits(opened.connector, config)
  const run = { ctx, destination, config, fence: ctx.now(), id: randomUUID() }
  const streams = fromConfiguredCatalog(await readObject(catalog, stdin), catalog)
  const writers = streams.map(
    (stream) => new StreamWriter(planToWrite(stream, destination.capabilities, ctx.now()), run),
  )
  const writing = new WriteSession(writers, out, () => ctx.now())
  try {
    await writing.prepare()
    for await (const lines of withTicks(lineBlocksOf(stdin), TICK_MS, stop.whenRequested)) {
      if (stop.requested) break
      for (const line of lines ?? []) await takeLine(writing, line)
      await writing.tick()
      await out.ready()
    }
    await writing.commit()
  } catch (error) {
    out.message(errorMessage(toAirbyteError(error), scrubber.scrub, writing.current))
    return stop.exitCode ?? 1
  } finally {
    stdin.destroy()
    await writing.close()
  }
  if (stop.requested) return stop.exitCode ?? 1
  const incomplete = writing.incomplete()
  if (incomplete.length === 0) return 0
  out.message(failedStreamsMessage(incomplete))
  return 1
}

async function takeLine(writing: WriteSession, line: string): Promise<void> {
  if (line.trim() === '') return
  let message: unknown
  try {
    message = parseExactJson(line)
  } catch {
    return // As the platform has it, what is no message is a line of a log.
  }
  if (!isObject(message)) return
  const { type, record, state, trace } = message
  if (type === 'RECORD' && isObject(record)) {
    await writing.record(keyOf(record.stream, record.namespace), record as never, line.length)
  } else if (type === 'STATE' && isObject(state)) await writing.state(message)
  else if (type === 'TRACE' && isObject(trace) && isObject(trace.stream_status)) {
    const { stream_descriptor: of, status } = trace.stream_status
    if (isObject(of) && status === 'COMPLETE') await writing.complete(keyOf(of.name, of.namespace))
  }
}

const keyOf = (name: unknown, namespace: unknown) =>
  streamKey({ name: String(name), ...(typeof namespace === 'string' && { namespace }) })

/** The items, and `undefined` whenever none came for so long, or when it is time to look up. */
async function* withTicks<T>(
  items: AsyncIterable<T>,
  ms: number,
  interruption: Promise<void>,
): AsyncGenerator<T | undefined> {
  const iterator = items[Symbol.asyncIterator]()
  let next = iterator.next()
  for (;;) {
    let timer: ReturnType<typeof setTimeout> | undefined
    const tick = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), ms)
    })
    const item = await Promise.race([next, tick, interruption])
    clearTimeout(timer)
    if (item?.done) return
    if (item) next = iterator.next()
    yield item?.value
  }
}
