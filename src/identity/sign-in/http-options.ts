import { allowInsecureRequests } from 'oauth4webapi'

const TIMEOUT_MS = 10_000
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Options for each request to a provider: bounded in time, and https except on this machine. */
export function httpOptions(issuer: URL) {
  return {
    signal: () => AbortSignal.timeout(TIMEOUT_MS),
    [allowInsecureRequests]: issuer.protocol === 'http:' && LOOPBACK.test(issuer.hostname),
  }
}
