import { ORIGIN } from './client.ts'
import { startForgingIssuer } from './forging-issuer.ts'
import { startGitHubFake } from './github-fake.ts'
import { startGitLab } from './gitlab.ts'
import { startOidcProvider } from './oidc-provider.ts'

export interface SignInServers {
  /** Issuer of a real OpenID provider (npm's oidc-provider). Anybody may sign in, as any name. */
  oidc: string
  /** A fake of GitHub, strict about what is sent to it. */
  github: string
  /** A source to sign in at: a real provider at GitLab's addresses. */
  gitlab: string
  /** Each path below is an issuer that forges in the way that its name says. */
  forging: string
}

export async function startSignInServers(): Promise<SignInServers & { stop(): void }> {
  const servers = {
    oidc: await startOidcProvider(),
    github: await startGitHubFake(),
    gitlab: await startGitLab(ORIGIN),
    forging: await startForgingIssuer(),
  }
  return {
    oidc: servers.oidc.url,
    github: servers.github.url,
    gitlab: servers.gitlab.url,
    forging: servers.forging.url,
    stop: () => {
      for (const server of Object.values(servers)) server.stop()
    },
  }
}
