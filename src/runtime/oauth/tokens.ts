import {
  AirbyteError,
  type JsonObject,
  type JsonValue,
  setIn,
  valueIn,
} from '../../protocol/index.ts'
import type { OAuthDeclaration } from './declaration.ts'

/**
 * The part of the config that the vendor's answer stands for: tokens where the connector wants them,
 * the client that it refreshes them with, and the variant that uses them.
 *
 * @throws AUTH_FAILED naming what the answer lacks, never what it holds
 */
export function configOfTokens(
  declaration: OAuthDeclaration,
  answer: unknown,
  client: { id: string; secret: string },
  now = Date.now(),
): JsonObject {
  const config: JsonObject = {}
  const { predicate, outputs, client: places } = declaration
  if (predicate) setIn(config, predicate.path, predicate.value)
  for (const output of outputs) {
    const value = outputOf(output, answer, now)
    if (value !== undefined) setIn(config, output.path, value)
  }
  if (places.id) setIn(config, places.id, client.id)
  if (places.secret) setIn(config, places.secret, client.secret)
  return config
}

function outputOf(
  { name, from }: OAuthDeclaration['outputs'][number],
  answer: unknown,
  now: number,
): JsonValue | undefined {
  const isExpiry = name === 'token_expiry_date'
  const found = valueIn(answer, from) ?? (isExpiry ? valueIn(answer, ['expires_in']) : undefined)
  if (found === undefined || found === null || found === '') {
    // A token that does not expire has no date.
    if (isExpiry) return undefined
    throw new AirbyteError('AUTH_FAILED', `The vendor's answer holds no '${from.join('.')}'.`, {
      hint: 'Allow everything that is asked for, offline access too, and try again.',
    })
  }
  const seconds = Number(found)
  if (isExpiry && Number.isFinite(seconds)) return new Date(now + seconds * 1000).toISOString()
  return found as JsonValue
}

/** Tokens, and the client's secret, for which the spec has no sealed place: there they would be shown. */
export function unsealedTokens(
  { outputs, client }: OAuthDeclaration,
  secrets: readonly string[],
): string[] {
  const tokens = outputs
    .filter(({ name, from }) => /token$/i.test(name) || /token$/i.test(from.at(-1) ?? ''))
    .map(({ path }) => path)
  return [...tokens, ...(client.secret ? [client.secret] : [])]
    .map((path) => path.join('.'))
    .filter((path) => !secrets.includes(path))
}
