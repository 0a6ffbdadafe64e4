import { operationById } from '../../../tools/index.ts'
import { createOperationContext } from '../../operations/context.ts'
import type { Face } from '../../operations/define.ts'
import { invokeOperation } from '../../operations/invoke.ts'
import { AirbyteError } from '../../protocol/index.ts'
import type { ApiContext } from './types.ts'

/** Calls an operation for the request's caller. */
export function call(c: ApiContext, id: string, input: unknown): Promise<Record<string, unknown>> {
  const operation = operationById(id)
  if (!operation) throw new AirbyteError('NOT_FOUND', `There is no operation '${id}'.`)
  const { tenantId, caller } = c.var
  if (!operation.scopes.every((scope) => caller.scopes.includes(scope))) {
    c.set('needed', operation.scopes)
  }
  const ctx = createOperationContext(c.env, {
    ...{ tenantId, caller, face: faceOf(c), signal: c.req.raw.signal },
  })
  return invokeOperation(operation, ctx, input)
}

/** Our own clients say who they are, for the audit log; nothing depends on it. */
function faceOf(c: ApiContext): Face {
  const client = c.req.header('x-airbyte-client')
  return client === 'sdk' || client === 'cli' ? client : 'http'
}

/** A JSON object from the body; nothing where there is no body. */
export async function jsonBody(c: ApiContext): Promise<Record<string, unknown>> {
  const text = await c.req.text()
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new AirbyteError('VALIDATION_FAILED', 'The body is not JSON.', { field: 'body' })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw new AirbyteError('VALIDATION_FAILED', 'The body is not a JSON object.', { field: 'body' })
}
