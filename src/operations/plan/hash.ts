import { createHash } from 'node:crypto'
import type { ActorRecord, ConnectionConfig } from '../../durable-object/rpc.ts'
import { AirbyteError, stableJson } from '../../protocol/index.ts'
import type { StreamOutlook } from './streams.ts'

interface World {
  config: ConnectionConfig
  /** What is changed; absent: nothing is there yet. */
  before?: ConnectionConfig
  source: ActorRecord
  destination: ActorRecord
  streams: StreamOutlook[]
}

/** The parts of a plan's hash, in order, as a refusal names them. */
const PARTS: [name: string, of: (world: World) => unknown][] = [
  ['the settings asked for', ({ config }) => config],
  ['the connection', ({ before }) => before ?? null],
  ['the source', ({ source }) => settingsOf(source)],
  ['the streams of the source', ({ streams }) => streams.map(({ found }) => shapeOf(found))],
  ['the destination', ({ destination }) => settingsOf(destination)],
  ['the tables at the destination', ({ streams }) => streams.map(targetOf)],
]
const VERSION = 'plan2'

/** A short hash for each part, so that what changed can be named without keeping the plan. */
export const hashOf = (world: World): string =>
  [VERSION, ...PARTS.map(([, of]) => digest(of(world)))].join('-')

/**
 * @param done what has not happened then
 * @throws PLAN_CHANGED naming what is different
 */
export function requireSame(planned: string, now: string, done: 'created' | 'changed'): void {
  if (planned === now) return
  const parts = changedParts(planned, now)
  const message = parts
    ? `Since the plan was made, ${parts.join(' and ')} changed. Nothing was ${done}.`
    : `planHash is not the hash of a plan. Nothing was ${done}.`
  throw new AirbyteError('PLAN_CHANGED', message, { field: 'planHash' })
}

/** Which parts differ; null for a text that is no hash of a plan. */
function changedParts(planned: string, now: string): string[] | null {
  const before = planned.split('-')
  const after = now.split('-')
  if (before.length !== after.length || before[0] !== VERSION) return null
  return PARTS.flatMap(([name], i) => (before[i + 1] === after[i + 1] ? [] : [name]))
}

const digest = (value: unknown) =>
  createHash('sha256').update(stableJson(value)).digest('hex').slice(0, 10)

const settingsOf = ({ id, type, connector, config }: ActorRecord) => ({
  ...{ id, type, config },
  release: connector && [connector.hash, connector.info.version],
})

/** Without the estimate of rows, which moves all the time. */
const shapeOf = ({ estimated_rows: _, ...stream }: StreamOutlook['found']) => stream

/** Whether rows are there, but not how many. */
function targetOf({ rehearsal, view }: StreamOutlook) {
  const { target, statements, problem } = view
  const rows = rehearsal?.targetRows
  const filled = rows === null || rows === 0 ? rows : 'filled'
  return { target, statements, problem, filled, existing: rehearsal?.existing }
}
