import {
  AirbyteError,
  isObject,
  type JsonObject,
  type StreamDescriptor,
  type StreamState,
  streamKey,
} from '../../protocol/index.ts'
import type { ReadState } from '../../runtime/contract.ts'
import { parseDocument } from './documents.ts'

/**
 * A state document: a list of STATE messages or one of them, bare or in their envelopes, or the JSON
 * lines that a read printed. Of several states of a stream the last counts.
 *
 * @throws STATE_INVALID
 */
export function parseStates(document: string, path: string): ReadState {
  const found: ReadState = { streams: new Map() }
  for (const entry of entriesOf(document, path)) take(found, entry, path)
  return found
}

function entriesOf(document: string, path: string): unknown[] {
  if (document.trim() === '') return []
  const lines = document.split('\n').filter((line) => line.trim() !== '')
  const isLines = lines.length > 1 && lines.every((line) => /^\s*\{.*\}\s*$/.test(line))
  if (isLines) return lines.map((line) => parseDocument(line, path))
  const value = parseDocument(document, path)
  return Array.isArray(value) ? value : [value]
}

function take(found: ReadState, given: unknown, path: string): void {
  const entry = isObject(given) && given.type === 'STATE' ? given.state : given
  if (!isObject(entry)) throw invalid(`${path} holds something that is no STATE message.`)
  // The other lines of a read: records, logs, statuses.
  if (typeof entry.type === 'string' && !KINDS.has(entry.type)) return
  if (isObject(entry.global)) {
    const { shared_state: shared, stream_states: streams } = entry.global
    if (isObject(shared)) found.shared = shared
    for (const stream of Array.isArray(streams) ? streams : []) takeStream(found, stream, path)
  } else if (isObject(entry.stream)) takeStream(found, entry.stream, path)
  else if (isObject(entry.data)) takeLegacy(found, entry.data)
  else if (Object.keys(entry).length > 0) {
    throw invalid(`${path}: a STATE message has one of 'stream', 'global' or 'data'.`)
  }
}

const KINDS = new Set(['STREAM', 'GLOBAL', 'LEGACY'])

function takeStream(found: ReadState, stream: unknown, path: string): void {
  const descriptor = isObject(stream) ? stream.stream_descriptor : undefined
  if (!isObject(descriptor) || typeof descriptor.name !== 'string') {
    throw invalid(`${path}: a stream's state has no stream_descriptor with a name.`)
  }
  const { namespace } = descriptor
  const of: StreamDescriptor = {
    name: descriptor.name,
    ...(typeof namespace === 'string' ? { namespace } : {}),
  }
  const { stream_state: state } = stream as JsonObject
  if (isObject(state)) found.streams.set(streamKey(of), state)
}

/** What there was before states had streams: one blob, by stream name. */
function takeLegacy(found: ReadState, data: JsonObject): void {
  for (const [name, state] of Object.entries(data)) {
    if (isObject(state)) found.streams.set(streamKey({ name }), state as StreamState)
  }
}

const invalid = (message: string) => new AirbyteError('STATE_INVALID', message)
