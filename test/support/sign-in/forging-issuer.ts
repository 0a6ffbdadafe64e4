import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CLIENT } from './client.ts'
import { formOf, listen, type RunningServer } from './listen.ts'

interface Token {
  header: Record<string, unknown>
  claims: Record<string, unknown>
  /** Default: RS256 with the published key. */
  signature?: (input: string) => string
}

const published = generateKeyPairSync('rsa', { modulusLength: 2048 })
const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
const now = () => Math.floor(Date.now() / 1000)

/** What each forging issuer does to an id_token that is otherwise right. `honest` shows that it is. */
const FORGERIES: Record<string, (token: Token) => void> = {
  honest: () => {},
  expired: ({ claims }) => Object.assign(claims, { iat: now() - 7200, exp: now() - 3600 }),
  'not-yet': ({ claims }) => Object.assign(claims, { nbf: now() + 3600 }),
  'wrong-audience': ({ claims }) => Object.assign(claims, { aud: 'another client' }),
  'wrong-issuer': ({ claims }) => Object.assign(claims, { iss: 'https://issuer.example' }),
  'wrong-nonce': ({ claims }) => Object.assign(claims, { nonce: 'of another sign-in' }),
  'no-nonce': ({ claims }) => Object.assign(claims, { nonce: undefined }),
  'no-subject': ({ claims }) => Object.assign(claims, { sub: undefined }),
  'changed-after-signing': (token) => {
    const real = rs256(encoded(token.header, token.claims), published.privateKey)
    token.signature = () => real
    token.claims.sub = 'somebody else'
  },
  'another-key': (token) => {
    token.signature = (input) => rs256(input, other.privateKey)
  },
  'no-signature': (token) => {
    token.signature = () => ''
  },
  // Says nothing about the person, so that the userinfo endpoint is asked, which tells of another.
  'userinfo-of-another': ({ claims }) => Object.assign(claims, { name: undefined }),
  'userinfo-broken': ({ claims }) => Object.assign(claims, { name: undefined }),
  'alg-none': (token) => {
    token.header.alg = 'none'
    token.signature = () => ''
  },
  // The old confusion: the public key, which everybody has, taken as the secret of an HMAC.
  'hmac-with-public-key': (token) => {
    token.header.alg = 'HS256'
    const key = published.publicKey.export({ type: 'spki', format: 'pem' })
    token.signature = (input) => createHmac('sha256', key).update(input).digest('base64url')
  },
}

/** Issuers at `<url>/<forgery>` that answer as OpenID providers do, but for one forgery each. */
export function startForgingIssuer(): Promise<RunningServer> {
  return listen((url) => (request, response) => void answer(url, request, response))
}

async function answer(url: string, request: IncomingMessage, response: ServerResponse) {
  const asked = new URL(request.url ?? '/', url)
  const [, forgery = '', ...rest] = asked.pathname.split('/')
  const issuer = `${url}/${forgery}`
  const forge = FORGERIES[forgery]
  const path = rest.join('/')
  if (!forge) return response.writeHead(500).end('<html>broken</html>')
  if (path === '.well-known/openid-configuration') return json(response, metadata(issuer))
  if (path === 'jwks') {
    return json(response, {
      keys: [{ ...published.publicKey.export({ format: 'jwk' }), use: 'sig' }],
    })
  }
  if (path === 'userinfo') {
    if (forgery !== 'userinfo-of-another') return response.writeHead(500).end()
    const boss = { sub: 'boss', name: 'Boss', email: 'boss@example.com', email_verified: true }
    return json(response, boss)
  }
  if (path === 'authorize') {
    const back = new URL(asked.searchParams.get('redirect_uri') ?? '')
    // The code carries the nonce, so that nothing has to be remembered.
    back.searchParams.set('code', asked.searchParams.get('nonce') ?? '')
    back.searchParams.set('state', asked.searchParams.get('state') ?? '')
    return response.writeHead(302, { location: back.href }).end()
  }
  const nonce = (await formOf(request)).get('code')
  const claims = {
    iss: issuer,
    aud: CLIENT.id,
    sub: 'ann',
    name: 'Ann',
    email: 'a@b.example',
    nonce,
  }
  const token: Token = {
    header: { alg: 'RS256', typ: 'JWT' },
    claims: { ...claims, iat: now(), exp: now() + 300 },
  }
  forge(token)
  return json(response, { access_token: 'x', token_type: 'Bearer', id_token: compact(token) })
}

function metadata(issuer: string) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
  }
}

function compact({ header, claims, signature }: Token): string {
  const input = encoded(header, claims)
  return `${input}.${(signature ?? ((text) => rs256(text, published.privateKey)))(input)}`
}

const encoded = (...parts: object[]) =>
  parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')

const rs256 = (input: string, key: KeyObject) =>
  sign('sha256', Buffer.from(input), key).toString('base64url')

function json(response: ServerResponse, body: object) {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
