import type { JsonValue } from '../protocol/index.ts'
import { type Path, toFieldName } from './spec-walk.ts'

/** Forms that credentials are issued in, by their public prefixes. */
const KINDS: readonly [kind: string, pattern: RegExp][] = [
  ['private key', /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/],
  ['AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})/],
  ['GitLab token', /\bglpat-[\w-]{20,}/],
  ['Slack token', /\b(?:xox[abeoprs]|xapp)-[\w-]{10,}/],
  ['Stripe key', /\b(?:sk|rk)_(?:live|test)_\w{16,}|\bwhsec_\w{16,}/],
  ['API key', /\bsk-[\w-]{20,}/],
  ['Google key', /\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}/],
  ['SendGrid key', /\bSG\.[\w-]{16,}\.[\w-]{16,}/],
  ['access token', /\b(?:npm|hf|shpat|shpss|dop_v1|pypi|lin_api|ntn|pscale_tkn)_[\w-]{20,}/],
  ['HubSpot token', /\bpat-(?:na|eu)\d-[\da-f-]{30,}/i],
  ['Databricks token', /\bdapi[\da-f]{32}\b/],
  ['JSON web token', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*/],
  ['bearer token', /\bBearer\s+[\w.~+/-]{20,}/i],
  ['password in a URL', /\b[a-z][a-z\d+.-]*:\/\/[^\s/:@]*:(?!\*+@|\$\{|<|\{\{)[^\s/@]+@/i],
  [
    'password in a connection string',
    /\b(?:password|pwd|accountkey|sharedaccesskey)\s*=\s*(?!\*|\$\{|<|\{\{)[^\s;&]{4,}/i,
  ],
]

/**
 * What kind of credential a text holds, if it looks like one; never the credential itself.
 *
 * @example
 * looksLikeSecret('postgres://me:hunter2@db/app') // 'password in a URL'
 */
export function looksLikeSecret(text: string): string | undefined {
  return KINDS.find(([, pattern]) => pattern.test(text))?.[0]
}

/** The first credential in the strings of a value, by field name, such as `{ field: 'config.host', kind }`. */
export function secretIn(
  value: JsonValue,
  path: Path = [],
): { field: string; kind: string } | undefined {
  if (typeof value === 'string') {
    const kind = looksLikeSecret(value)
    return kind === undefined ? undefined : { field: toFieldName(path), kind }
  }
  if (typeof value !== 'object' || value === null) return undefined
  const members = Array.isArray(value) ? value.entries() : Object.entries(value)
  for (const [key, member] of members) {
    const found = secretIn(member, [...path, key])
    if (found) return found
  }
  return undefined
}
