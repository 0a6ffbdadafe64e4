import type { OperationContext } from '../../operations/define.ts'
import { toAirbyteError } from '../../protocol/index.ts'
import type { OAuthDeclaration } from '../../runtime/oauth/declaration.ts'
import { type Dance, tokenRequest } from '../../runtime/oauth/requests.ts'
import { textsOf } from '../../vault/index.ts'

const LIMIT_MS = 20_000
const MAX_BYTES = 1024 * 1024

export interface ExchangeProblem {
  reason: 'unavailable' | 'unconfirmed'
  detail: string
}

/**
 * Changes a code for tokens, once: a code counts once, so nothing is tried again. It goes out as a
 * connector's requests do, under the egress policy. Every text of the answer is a secret from here on.
 */
export async function exchange(
  ctx: OperationContext,
  declaration: OAuthDeclaration,
  dance: Dance,
  code: string,
): Promise<{ answer: unknown } | ExchangeProblem> {
  const { http } = ctx.connector(
    AbortSignal.any([ctx.signal, AbortSignal.timeout(LIMIT_MS)]),
    LIMIT_MS,
  )
  try {
    const { url, headers, body } = tokenRequest(declaration, dance, code)
    const limits = { attempts: 1, maxBytes: MAX_BYTES, timeoutMs: LIMIT_MS }
    const response = await http.fetch(url, { method: 'POST', headers, body, ...limits })
    const text = await response.text()
    const answer = jsonOf(text)
    for (const secret of textsOf(answer as never)) ctx.secrets.add(secret)
    const refusal = refusalIn(answer)
    if (response.ok && !refusal && answer !== null) return { answer }
    return { reason: 'unconfirmed', detail: refusal ?? `status ${response.status}` }
  } catch (error) {
    return { reason: 'unavailable', detail: toAirbyteError(error).code }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** GitHub and Slack tell of errors with status 200. */
function refusalIn(answer: unknown): string | undefined {
  const { error, ok } = (answer ?? {}) as { error?: unknown; ok?: unknown }
  if (typeof error === 'string') return error
  return error !== undefined || ok === false ? 'error' : undefined
}
