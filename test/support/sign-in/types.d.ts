declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http'

  export class Provider {
    constructor(issuer: string, configuration: object)
    callback(): RequestListener
    on(event: 'grant.success', listener: (context: { body: Record<string, unknown> }) => void): void
    AccessToken: { find(token: string): Promise<{ scope?: string } | undefined> }
  }
}
