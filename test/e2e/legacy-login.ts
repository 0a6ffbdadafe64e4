import {
  type OAuthClientProvider,
  UnauthorizedError,
} from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { approve } from '../../scripts/lib/mcp-client.ts'

type Saved = Parameters<NonNullable<OAuthClientProvider['saveClientInformation']>>[0]
type Tokens = Parameters<OAuthClientProvider['saveTokens']>[0]

/** A client of the 2025 protocols that signs in by OAuth, consent included, as local mode allows. */
export async function connectLegacy(url: string, name: string): Promise<Client> {
  const login = new LocalLogin(name)
  const open = () =>
    new StreamableHTTPClientTransport(new URL('/mcp', url), { authProvider: login })
  const client = () => new Client({ name, version: '1' })
  const first = open()
  try {
    await client().connect(first)
    throw new Error('The server let in a client without a token.')
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
  }
  await first.finishAuth(login.code)
  const signedIn = client()
  await signedIn.connect(open())
  return signedIn
}

class LocalLogin implements OAuthClientProvider {
  readonly redirectUrl = 'http://localhost:9/callback'
  readonly clientMetadata
  code = ''
  #client?: Saved
  #tokens?: Tokens
  #verifier = ''

  constructor(name: string) {
    this.clientMetadata = {
      client_name: name,
      redirect_uris: [this.redirectUrl],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    }
  }

  clientInformation() {
    return this.#client
  }
  saveClientInformation(client: Saved) {
    this.#client = client
  }
  tokens() {
    return this.#tokens
  }
  saveTokens(tokens: Tokens) {
    this.#tokens = tokens
  }
  codeVerifier() {
    return this.#verifier
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier
  }

  async redirectToAuthorization(url: URL) {
    // Without a scope the server grants all that the person has.
    url.searchParams.delete('scope')
    this.code = new URL(await approve(url)).searchParams.get('code') ?? ''
  }
}
