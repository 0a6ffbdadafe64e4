const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * True when nobody needs to sign in: the switch is on *and* the request came to a loopback name.
 * A page elsewhere that resolves its own name to this machine does not get it (DNS rebinding).
 */
export function isLocal(url: URL, env: Env): boolean {
  return (env.LOCAL_MODE as string) === 'on' && LOOPBACK.test(url.hostname)
}

/**
 * The origin that this request's issuer, resources and links bear. Hosted, always `PUBLIC_URL`;
 * locally the loopback name and port that the client used, since resources are compared exactly.
 */
export function originOf(url: URL, env: Env): string {
  return isLocal(url, env) ? url.origin : new URL(env.PUBLIC_URL).origin
}

/** Whether a request came to a name that this server answers to. */
export function isOurHost(url: URL, env: Env): boolean {
  return isLocal(url, env) || url.host === new URL(env.PUBLIC_URL).host
}
