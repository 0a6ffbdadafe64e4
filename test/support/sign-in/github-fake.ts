import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CLIENT, ORIGIN } from './client.ts'
import { formOf, listen, type RunningServer } from './listen.ts'

const ACCOUNTS: Record<string, { user: object; emails: object[] }> = {
  ann: {
    user: { id: 1001, login: 'ann', name: 'Ann of GitHub' },
    emails: [
      { email: 'old@example.org', primary: false, verified: true },
      { email: 'ann@example.com', primary: true, verified: true },
    ],
  },
  // Another account under the name that an earlier one gave up.
  'ann-again': { user: { id: 1002, login: 'ann', name: null }, emails: [] },
  careless: {
    user: { id: 1003, login: 'careless', name: null },
    emails: [{ email: 'boss@example.com', primary: true, verified: false }],
  },
}

interface Code {
  login: string
  challenge: string
}

/**
 * A FAKE of GitHub's OAuth pages and API, at the paths of an Enterprise Server. It is as strict as
 * the documentation allows to be, and stands in only because GitHub itself cannot run here. The
 * parameter `login`, which GitHub knows too, says who signs in; `login=nobody` is a refusal.
 */
export function startGitHubFake(): Promise<RunningServer> {
  const codes = new Map<string, Code>()
  const tokens = new Map<string, string>()
  return listen((url) => async (request, response) => {
    const asked = new URL(request.url ?? '/', url)
    if (asked.pathname === '/login/oauth/authorize') authorize(url, asked, response, codes)
    else if (asked.pathname === '/login/oauth/access_token') {
      json(response, 200, redeem(request, await formOf(request), codes, tokens))
    } else if (asked.pathname.startsWith('/api/v3/')) api(asked, request, response, tokens)
    else response.writeHead(404).end()
  })
}

function authorize(url: string, asked: URL, response: ServerResponse, codes: Map<string, Code>) {
  const get = (name: string) => asked.searchParams.get(name) ?? ''
  const complete =
    get('client_id') === CLIENT.id &&
    get('redirect_uri') === `${ORIGIN}/sign-in/github/callback` &&
    get('scope') === 'read:user user:email' &&
    get('state').length >= 32 &&
    get('code_challenge').length === 43 &&
    get('code_challenge_method') === 'S256'
  if (!complete) return response.writeHead(400).end('incomplete')
  const back = new URL(get('redirect_uri'))
  back.searchParams.set('state', get('state'))
  back.searchParams.set('iss', `${url}/login/oauth`)
  if (ACCOUNTS[get('login')]) {
    const code = randomUUID()
    codes.set(code, { login: get('login'), challenge: get('code_challenge') })
    back.searchParams.set('code', code)
  } else {
    back.searchParams.set('error', 'access_denied')
  }
  return response.writeHead(302, { location: back.href }).end()
}

/** GitHub tells of errors with status 200. */
function redeem(
  request: IncomingMessage,
  form: URLSearchParams,
  codes: Map<string, Code>,
  tokens: Map<string, string>,
) {
  if (request.method !== 'POST' || !request.headers.accept?.includes('application/json')) {
    return { error: 'not_json' }
  }
  if (form.get('client_id') !== CLIENT.id || form.get('client_secret') !== CLIENT.secret) {
    return { error: 'incorrect_client_credentials' }
  }
  if (form.get('redirect_uri') !== `${ORIGIN}/sign-in/github/callback`) {
    return { error: 'redirect_uri_mismatch' }
  }
  const code = codes.get(form.get('code') ?? '')
  codes.delete(form.get('code') ?? '')
  const verifier = form.get('code_verifier') ?? ''
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  if (!code || code.challenge !== challenge) return { error: 'bad_verification_code' }
  const access_token = `gho_${randomUUID()}`
  tokens.set(access_token, code.login)
  return { access_token, token_type: 'bearer', scope: 'read:user,user:email' }
}

function api(
  asked: URL,
  { headers }: IncomingMessage,
  response: ServerResponse,
  tokens: Map<string, string>,
) {
  const login = tokens.get(headers.authorization?.replace(/^Bearer /, '') ?? '')
  const account = ACCOUNTS[login ?? '']
  if (!headers['user-agent']) return json(response, 403, { message: 'User-Agent is required' })
  if (!account) return json(response, 401, { message: 'Bad credentials' })
  if (asked.pathname === '/api/v3/user') return json(response, 200, account.user)
  if (asked.pathname === '/api/v3/user/emails') return json(response, 200, account.emails)
  return json(response, 404, { message: 'Not Found' })
}

function json(response: ServerResponse, status: number, body: object) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
