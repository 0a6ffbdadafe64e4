import { type AirbyteError, toAirbyteError } from '../../protocol/index.ts'

/** An error that the person can do something about on the page at hand; others are thrown on. */
export function correctable(error: unknown): AirbyteError {
  const problem = toAirbyteError(error)
  if (problem.code === 'INTERNAL' || problem.code === 'FORBIDDEN') throw error
  return problem
}
