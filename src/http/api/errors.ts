import { ERROR_CODES } from '../../protocol/error-codes.ts'
import { AirbyteError, toAirbyteError } from '../../protocol/index.ts'

/** `{ error: ErrorRecord }` with the status of its code. */
export function errorResponse(error: unknown): Response {
  const known = toAirbyteError(error)
  const { status } = ERROR_CODES[known.code]
  const headers = known.retryAt
    ? { 'retry-after': String(Math.max(1, Math.ceil((known.retryAt - Date.now()) / 1000))) }
    : undefined
  return Response.json({ error: known.toJSON() }, { status, headers })
}

export const noRoute = (method: string, path: string) =>
  new AirbyteError('NOT_FOUND', `There is no ${method} ${path}.`, {
    hint: 'See /api/v1/openapi.json for what there is.',
  })
