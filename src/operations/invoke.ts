import { AirbyteError, toAirbyteError } from '../protocol/index.ts'
import type { HandlerContext, Operation, OperationContext, Refs } from './define.ts'
import type { RefKind, RefRequest, ResolvedRef } from './refs.ts'
import { refuseSecrets, refuseSpecSecrets, scrubError, scrubResult } from './secrets.ts'
import { parseInput, refuseDeep } from './validate.ts'

/**
 * Runs an operation for a caller: validate, check scopes, refuse secrets where the face is a model,
 * one RPC that resolves names and writes the audit entry, the handler, and errors and results
 * without secrets. Always throws `AirbyteError`.
 *
 * @throws VALIDATION_FAILED, FORBIDDEN, SECRET_IN_ARGUMENTS, NOT_FOUND, and what the handler throws
 */
export async function invokeOperation(
  operation: Operation,
  ctx: OperationContext,
  rawInput: unknown,
): Promise<Record<string, unknown>> {
  try {
    refuseDeep(rawInput)
    if (ctx.face === 'mcp') refuseSecrets(rawInput)
    const input = parseInput(operation.input, rawInput)
    const refs = await authorize(operation, ctx, input)
    if (ctx.face === 'mcp') await refuseSpecSecrets(ctx, operation.id, input, refs)
    const result = await operation.handler(withRefs(ctx, refs), resolvedInput(input, refs))
    return scrubResult(ctx, result)
  } catch (error) {
    throw scrubError(ctx, toAirbyteError(error))
  }
}

type Resolved = Record<string, ResolvedRef>

async function authorize(
  { id, scopes, refs = {} }: Operation,
  ctx: OperationContext,
  input: Record<string, unknown>,
): Promise<Resolved> {
  const missing = scopes.filter((scope) => !ctx.caller.scopes.includes(scope))
  const requests = missing.length > 0 ? [] : refRequests(refs, input)
  const { face, caller } = ctx
  const answer = await ctx.tenant.authorize({
    op: id,
    face,
    caller,
    refs: requests,
    allowed: missing.length === 0,
  })
  if (missing.length > 0) {
    throw new AirbyteError('FORBIDDEN', `${id} needs the scope ${missing.join(' and ')}.`, {
      hint: `Use a token or API key that has ${missing.join(' and ')}.`,
    })
  }
  return Object.fromEntries(
    requests.map(({ field }, i) => [field, answer.refs[i] as ResolvedRef] as const),
  )
}

function refRequests(refs: Refs, input: Record<string, unknown>): RefRequest[] {
  return Object.entries(refs).flatMap(([field, kinds]) => {
    const value = input[field]
    if (value === undefined) return []
    const list: readonly RefKind[] = typeof kinds === 'string' ? [kinds] : kinds
    return [{ field, kinds: list, value: String(value) }]
  })
}

/** Handlers see ids where callers may have given names. */
function resolvedInput(input: Record<string, unknown>, refs: Resolved) {
  const ids = Object.entries(refs).map(([field, { kind, id }]) => [
    field,
    kind === 'sync' ? Number(id) : id,
  ])
  return { ...input, ...Object.fromEntries(ids) }
}

const withRefs = (ctx: OperationContext, refs: Resolved): HandlerContext<Refs> => ({ ...ctx, refs })
