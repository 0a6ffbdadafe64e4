import type { StreamChoice } from '../../operations/fields.ts'
import { AirbyteError, streamKey, toAirbyteError } from '../../protocol/index.ts'
import { columnsPage, streamsPage } from '../pages/workspace/streams.tsx'
import type { Connection } from './connections.ts'
import { streamText } from './names.ts'
import { choicesOf, columnsOf, type Discovered, streamRows } from './stream-form.ts'
import type { Handler, PageParams, PostHandler } from './types.ts'
import type { Visit } from './visit.ts'

/** Streams on one page. */
const SHOWN = 200

export const streams: Handler = async (visit, params) => {
  const record = await connectionOf(visit, params)
  return page(visit, record, record.streams, params.query)
}

/** What was refused is shown again as it was entered, with the reason. */
export const saveStreams: PostHandler = async (visit, params, form) => {
  const record = await connectionOf(visit, params)
  const choices = choicesOf(form, record.streams)
  try {
    await visit.run('connections.update', { connection: record.id, streams: choices })
    return `${visit.base}/connections/${record.id}`
  } catch (error) {
    return page(visit, record, choices, form, toAirbyteError(error))
  }
}

async function page(
  visit: Visit,
  record: Connection,
  choices: readonly StreamChoice[],
  query: URLSearchParams,
  problem?: AirbyteError,
) {
  const wanted = query.get('q') ?? ''
  const [{ streams: discovered, total }, everything] = await Promise.all([
    discover(visit, record, { query: wanted, limit: SHOWN, refresh: query.get('refresh') === '1' }),
    discover(visit, record, { limit: 1000, schemas: false }),
  ])
  const known = new Set(everything.streams.map(streamKey))
  const isComplete = everything.total === everything.streams.length
  const lost = isComplete ? choices.filter((choice) => !known.has(streamKey(choice))) : []
  const { type } = await visit.run<{ type: string }>('destinations.get', {
    destination: record.destination,
  })
  const { modes } = visit.ctx.registries.destinations.get(type).capabilities
  const rows = streamRows(discovered, choices, modes, lost)
  return streamsPage(visit, { connection: record, rows, total, query: wanted, problem })
}

export const columns: Handler = async (visit, params) => {
  const record = await connectionOf(visit, params)
  return columnsOfStream(visit, record, params.query.get('stream') ?? '')
}

export const saveColumns: PostHandler = async (visit, params, form) => {
  const record = await connectionOf(visit, params)
  const { stream, all, fixed } = await streamOf(visit, record, form.get('stream') ?? '')
  const ticked = new Set([...form.getAll('column'), ...fixed])
  const chosen = all.map(({ name }) => name).filter((name) => ticked.has(name))
  const selectedFields = chosen.length === all.length ? undefined : chosen
  const changed: StreamChoice[] = record.streams.map((config) =>
    config === stream ? { ...config, selectedFields } : config,
  )
  try {
    await visit.run('connections.update', { connection: record.id, streams: changed })
    return `${visit.base}/connections/${record.id}/streams`
  } catch (error) {
    return columnsOfStream(visit, record, streamText(stream), toAirbyteError(error))
  }
}

async function columnsOfStream(
  visit: Visit,
  record: Connection,
  name: string,
  problem?: AirbyteError,
) {
  const { stream, all, fixed } = await streamOf(visit, record, name)
  return columnsPage(visit, {
    ...{ connection: record, stream, problem },
    columns: all.map((column) => ({
      ...column,
      on: stream.selectedFields?.includes(column.name) ?? true,
      fixed: fixed.has(column.name),
    })),
  })
}

async function streamOf(visit: Visit, record: Connection, wanted: string) {
  const stream = record.streams.find((config) => streamText(config) === wanted)
  if (!stream) {
    const message = `'${record.name}' has no stream '${wanted}'.`
    throw new AirbyteError('STREAM_NOT_FOUND', message, { field: 'stream' })
  }
  const found = await discover(visit, record, { stream: wanted, limit: 1 })
  const fixed = new Set(
    [...(stream.primaryKey ?? []), ...(stream.cursorField ? [stream.cursorField] : [])].flatMap(
      ([column]) => column ?? [],
    ),
  )
  return { stream, fixed, all: columnsOf(found.streams[0]?.jsonSchema) }
}

const connectionOf = (visit: Visit, { id }: PageParams) =>
  visit.run<Connection>('connections.get', { connection: id })

const discover = (visit: Visit, { source }: Connection, query: object) =>
  visit.run<{ streams: Discovered[]; total: number }>('sources.discover', {
    ...{ source, schemas: true, ...query },
  })
