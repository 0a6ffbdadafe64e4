/**
 * Every gap between two writes of a sync. A test arms one of them and the process is killed while it
 * waits there; in production none is armed and the call is a comparison.
 */
export const FAULT_POINTS = [
  'plan.claimed',
  'plan.frozen',
  'read.claimed',
  'read.prepared',
  'read.chunk-started',
  'read.chunk-staged',
  'read.stage-reported',
  'read.advanced',
  'load.claimed',
  'load.before-commit',
  'load.committed',
  'load.reported',
  'finish.claimed',
  'finish.swapped',
  'finish.reported',
  'sync.outbox-written',
  'sync.state-committed',
  'sync.ended',
] as const

/** The gaps of a token's refresh, in the source's object. */
export const TOKEN_FAULT_POINTS = ['token.asked', 'token.answered', 'token.kept'] as const

/** The gaps of a log's segment, in its reader. */
export const LOG_FAULT_POINTS = ['log.stored', 'log.entered'] as const

/** The gap between rejected rows that were loaded again and their removal from the rejects. */
export const REPLAY_FAULT_POINTS = ['replay.loaded'] as const

export type FaultPoint =
  | (typeof FAULT_POINTS)[number]
  | (typeof TOKEN_FAULT_POINTS)[number]
  | (typeof LOG_FAULT_POINTS)[number]
  | (typeof REPLAY_FAULT_POINTS)[number]

let armed: { point: FaultPoint; hit: number; action: () => Promise<void> } | undefined

/** Arms one point; `action` runs when it is reached for the `hit`-th time (from 1), once. */
export function armFaultPoint(point: FaultPoint, hit: number, action: () => Promise<void>): void {
  armed = { point, hit, action }
}

/** Waits at a named gap if a test armed it. */
export async function faultPoint(point: FaultPoint): Promise<void> {
  if (armed?.point !== point) return
  armed.hit--
  if (armed.hit > 0) return
  const { action } = armed
  armed = undefined
  await action()
}
