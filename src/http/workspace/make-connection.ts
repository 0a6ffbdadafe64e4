import { z } from 'zod'
import { operationById } from '../../../tools/index.ts'
import type { ConnectionInput } from '../../operations/connection-config.ts'
import { type StreamChoice, streamChoice } from '../../operations/fields.ts'
import { parseInput } from '../../operations/validate.ts'
import { AirbyteError, streamKey } from '../../protocol/index.ts'
import { endsPage, newConnectionPage } from '../pages/workspace/new-connection.tsx'
import { type Plan, planPage } from '../pages/workspace/plan.tsx'
import { scheduleOf } from './connections.ts'
import { correctable } from './correctable.ts'
import { choicesOf, type Discovered, streamRows, suggestedChoices } from './stream-form.ts'
import type { Handler, PostHandler } from './types.ts'
import type { Visit } from './visit.ts'

/** What `connections.plan` and `connections.create` take. */
export interface Draft
  extends Pick<ConnectionInput, 'name' | 'namespace' | 'prefix' | 'normalization'>,
    Pick<ConnectionInput, 'schemaChanges' | 'freshnessSeconds'> {
  source: string
  destination: string
  streams: StreamChoice[]
  schedule: ReturnType<typeof scheduleOf>
}

/** Streams on one page, each with its columns. */
const SHOWN = 100
/** As many as a connection takes. */
const MOST_STREAMS = 2000

/** Which ends, and once they are known what goes from the one to the other. */
export const newConnection: Handler = async (visit, { query }) => {
  const [source, destination] = [query.get('source') ?? '', query.get('destination') ?? '']
  if (!source || !destination) return askEnds(visit, { source, destination })
  const ends = await endsOf(visit, { source, destination })
  const streams = await suggested(visit, source, ends)
  const name = `${ends.sourceName}-to-${ends.destinationName}`.slice(0, 100)
  return show(visit, { name, source, destination, streams, schedule: { manual: true } })
}

/** Nothing is made here: finds streams, or shows the plan of what was chosen. */
export const shapeConnection: PostHandler = async (visit, _params, form) => {
  const planned = form.get('input')
  if (planned !== null) return show(visit, plannedOf(planned))
  const draft = draftOf(form)
  const query = form.get('q') ?? ''
  switch (form.get('do')) {
    case 'find':
      return show(visit, draft, { query })
    case 'none':
      return show(visit, { ...draft, streams: [] }, { query })
    case 'all': {
      const kept = new Set(draft.streams.map(streamKey))
      const all = await suggested(visit, draft.source, await endsOf(visit, draft))
      const others = all.filter((choice) => !kept.has(streamKey(choice)))
      return show(visit, { ...draft, streams: [...draft.streams, ...others] }, { query })
    }
    default:
      return plan(visit, draft, query)
  }
}

/** By the hash of the plan that the person saw. Where the world has moved on, the new plan is shown. */
export const createConnection: PostHandler = async (visit, _params, form) => {
  const draft = plannedOf(form.get('input') ?? '')
  try {
    const { id } = await visit.run<{ id: string }>('connections.create', {
      ...{ ...draft, planHash: form.get('planHash') ?? '' },
    })
    if (form.get('sync') === 'yes') await visit.run('connections.sync', { connection: id })
    return `${visit.base}/connections/${id}`
  } catch (error) {
    const problem = correctable(error)
    if (problem.code === 'PLAN_CHANGED') return plan(visit, draft, '', problem)
    return show(visit, draft, { problem })
  }
}

async function plan(visit: Visit, draft: Draft, query: string, problem?: AirbyteError) {
  try {
    if (draft.streams.length === 0) {
      throw new AirbyteError('VALIDATION_FAILED', 'No stream is chosen.', {
        ...{ field: 'streams', hint: 'Tick at least one.' },
      })
    }
    const [found, ends] = await Promise.all([
      visit.run<Plan>('connections.plan', draft),
      endsOf(visit, draft),
    ])
    return planPage(visit, { draft, plan: found, problem, ...ends })
  } catch (error) {
    return show(visit, draft, { query, problem: correctable(error) })
  }
}

async function show(
  visit: Visit,
  draft: Draft,
  { query = '', problem }: { query?: string; problem?: AirbyteError } = {},
) {
  const ends = await endsOf(visit, draft)
  const { streams, total } = await discover(visit, draft.source, {
    ...{ query: query.slice(0, 100), limit: SHOWN, schemas: true },
  })
  const rows = streamRows(streams, draft.streams, ends.modes)
  return newConnectionPage(visit, { draft, rows, total, query, problem, ...ends })
}

async function askEnds(visit: Visit, chosen: { source: string; destination: string }) {
  type List = { items: { id: string; name: string; type: string; status: string }[] }
  const [sources, destinations] = await Promise.all([
    visit.run<List>('sources.list', { limit: 100 }),
    visit.run<List>('destinations.list', { limit: 100 }),
  ])
  return endsPage(visit, { sources: sources.items, destinations: destinations.items, chosen })
}

async function endsOf(
  visit: Visit,
  { source, destination }: Pick<Draft, 'source' | 'destination'>,
) {
  type Named = { name: string; type: string }
  const [from, to] = await Promise.all([
    visit.run<Named>('sources.get', { source }),
    visit.run<Named>('destinations.get', { destination }),
  ])
  const { modes } = visit.ctx.registries.destinations.get(to.type).capabilities
  return { sourceName: from.name, destinationName: to.name, modes }
}

async function suggested(
  visit: Visit,
  source: string,
  { modes }: Awaited<ReturnType<typeof endsOf>>,
): Promise<StreamChoice[]> {
  const all: Discovered[] = []
  let cursor: string | undefined
  do {
    const page = await discover(visit, source, { limit: 1000, cursor })
    all.push(...page.streams)
    cursor = page.cursor
  } while (cursor !== undefined && all.length < MOST_STREAMS)
  return suggestedChoices(all.slice(0, MOST_STREAMS), modes)
}

const discover = (visit: Visit, source: string, query: object) =>
  visit.run<{ streams: Discovered[]; total: number; cursor?: string }>('sources.discover', {
    ...{ source, ...query },
  })

/** A form of what is to be planned: its streams as they were, and what the page shows of them. */
function draftOf(form: URLSearchParams): Draft {
  const given = (name: string) => form.get(name)?.trim() || undefined
  return {
    ...{ name: given('name') ?? '', source: given('source') ?? '' },
    destination: given('destination') ?? '',
    streams: choicesOf(form, streamsOf(form.get('streams') ?? '')),
    schedule: scheduleOf(form),
    ...{ namespace: given('namespace'), prefix: given('prefix') },
    normalization: given('normalization') as Draft['normalization'],
    schemaChanges: given('schemaChanges') as Draft['schemaChanges'],
    freshnessSeconds: Number(form.get('freshness') ?? 0),
  }
}

function streamsOf(text: string): StreamChoice[] {
  return z.array(streamChoice).safeParse(jsonOf(text)).data ?? []
}

/** A draft that comes back from the page of its plan. */
function plannedOf(text: string): Draft {
  const operation = operationById('connections.plan')
  if (!operation) throw new Error('no operation connections.plan')
  const given = parseInput(operation.input, jsonOf(text)) as unknown as Partial<Draft>
  return { streams: [], schedule: { manual: true }, ...given } as Draft
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
