import { toAirbyteError } from '../protocol/index.ts'

/** Whether nobody can tell if a refresh that failed so has used the refresh token up. */
export function isAnswerLost(error: unknown): boolean {
  const { kind, code } = toAirbyteError(error)
  return kind !== 'config' && code !== 'RATE_LIMITED'
}
