import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { handleApi } from '../../../src/http/api/index.ts'
import { SCOPES, type Scope } from '../../../src/operations/caller.ts'

/** `fetch` against the API as an authenticated caller of a workspace. */
export function apiOf(tenantId: string, scopes: readonly Scope[] = SCOPES) {
  return async (method: string, path: string, body?: unknown) => {
    const ctx = Object.assign(createExecutionContext(), {
      props: { tenantId, caller: { subject: 'me', kind: 'local', scopes, role: 'admin' } },
    })
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const request = new Request(`https://airbyte.test/api${path}`, { method, body: text })
    const response = await handleApi(request, env, ctx)
    const answer = await response.text()
    // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape it asked for
    return { status: response.status, body: (answer ? JSON.parse(answer) : null) as any }
  }
}
