import { AirbyteError } from './error.ts'
import type { AirbyteOptions, ErrorRecord } from './types.ts'

export type Call = (id: string, input: object, signal?: AbortSignal) => Promise<unknown>

/** Calls operations by id over HTTP or a binding. Rejects with `AirbyteError` only. */
export function createTransport(options: AirbyteOptions): Call {
  const { token, client = 'sdk' } = options
  const origin = 'url' in options ? options.url.replace(/\/+$/, '') : 'https://airbyte.internal'
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'x-airbyte-client': client,
    ...(token && { authorization: `Bearer ${token}` }),
  }
  const send = (request: Request) =>
    'binding' in options ? options.binding.fetch(request) : fetch(request)

  return async (id, input, signal) => {
    const body = JSON.stringify(input)
    const request = new Request(`${origin}/api/v1/ops/${id}`, {
      ...{ method: 'POST', headers, body, signal },
    })
    const response = await send(request).catch((error: unknown) => {
      if (signal?.aborted) throw error
      throw new AirbyteError('HOST_UNREACHABLE', `${origin} does not answer.`, {
        ...{ kind: 'transient', hint: 'Check the url, and that the server runs.' },
      })
    })
    return answerOf(response)
  }
}

async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text()
  const body = parse(text)
  if (response.ok && body !== undefined) return body
  const { error } = (body ?? {}) as { error?: ErrorRecord | string }
  if (typeof error === 'object') throw new AirbyteError(error.code, error.message, error)
  if (response.status === 401 || response.status === 403) {
    const code = response.status === 401 ? 'UNAUTHORIZED' : 'FORBIDDEN'
    throw new AirbyteError(code, 'The server did not accept the token.', {
      ...{ kind: 'config', hint: 'Use a valid API key, or sign in again.' },
    })
  }
  throw new AirbyteError('UPSTREAM_ERROR', `The server answered ${response.status}.`, {
    kind: 'transient',
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
