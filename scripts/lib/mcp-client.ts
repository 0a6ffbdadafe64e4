import {
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'

/**
 * An MCP client that signs in as any client would (discovery, registration, PKCE), except that the
 * person's consent is given by the program itself, which a server in local mode allows.
 */
export async function connectMcp(url: string, name: string): Promise<Client> {
  const login = new LocalLogin(name)
  const open = () =>
    new StreamableHTTPClientTransport(new URL('/mcp', url), { authProvider: login })
  const connect = async () => {
    const client = new Client({ name, version: '1' }, { versionNegotiation: { mode: 'auto' } })
    await client.connect(open())
    return client
  }
  try {
    return await connect()
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
    await open().finishAuth(new URL(login.consented).searchParams)
    return connect()
  }
}

/** What the client's login remembers, and the consent it gives. */
class LocalLogin implements OAuthClientProvider {
  readonly redirectUrl = 'http://localhost:9/callback'
  readonly clientMetadata
  /** Address of the redirect that carries the code, once consent was asked for. */
  consented = ''
  #client?: StoredOAuthClientInformation
  #tokens?: StoredOAuthTokens
  #verifier = ''
  #discovery?: OAuthDiscoveryState

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
  saveClientInformation(client: StoredOAuthClientInformation) {
    this.#client = client
  }
  tokens() {
    return this.#tokens
  }
  saveTokens(tokens: StoredOAuthTokens) {
    this.#tokens = tokens
  }
  discoveryState() {
    return this.#discovery
  }
  saveDiscoveryState(state: OAuthDiscoveryState) {
    this.#discovery = state
  }
  codeVerifier() {
    return this.#verifier
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier
  }

  async redirectToAuthorization(url: URL) {
    // Without a scope the server grants all that the person has; a client asks for what the 401 named.
    url.searchParams.delete('scope')
    this.consented = await approve(url)
  }
}

/** Consents to an authorization request; the address to which the person is then sent, with its code. */
export async function approve(url: URL): Promise<string> {
  const response = await fetch(new URL('/authorize/approve', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(url.searchParams)),
  })
  const { redirectTo, ...problem } = (await response.json()) as { redirectTo?: string }
  if (!redirectTo) throw new Error(`The server did not consent: ${JSON.stringify(problem)}`)
  return redirectTo
}
