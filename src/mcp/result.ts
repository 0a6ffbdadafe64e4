import type { CallToolResult } from '@modelcontextprotocol/server'
import type { Operation } from '../operations/define.ts'
import type { AirbyteError } from '../protocol/index.ts'
import { capResult } from './cap.ts'
import { errorNotice } from './untrusted.ts'

/** `_meta` key of a failed call: the code for programs, since the text is for models. */
const ERROR_META = 'do.airbyte/error'

/** Compact JSON twice: some clients show the model only the structured part, others only the text. */
export function success(result: Record<string, unknown>): CallToolResult {
  const structuredContent = capResult(result)
  return {
    content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
    structuredContent,
  }
}

/**
 * A failure that a model can act on. Text only: SDK v1 clients check `structuredContent` against the
 * tool's output schema even for errors, and would drop the message.
 */
export function failure(operation: Operation, error: AirbyteError): CallToolResult {
  const { code, kind, field, stream, didYouMean, retryAt, hint } = error
  const body = {
    ...errorNotice(code, operation),
    error: {
      code,
      message: error.message.slice(0, 1000),
      field,
      stream,
      did_you_mean: didYouMean,
      retryable: kind === 'transient',
      retry_at: retryAt === undefined ? undefined : new Date(retryAt).toISOString(),
      next: hint,
    },
  }
  return {
    isError: true,
    content: [{ type: 'text', text: JSON.stringify(body) }],
    _meta: { [ERROR_META]: { code, kind, field } },
  }
}
