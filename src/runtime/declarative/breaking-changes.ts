import { isObject, type JsonObject, type JsonValue } from '../../protocol/index.ts'

/** What a release breaks for those who come from an older one. */
export interface BreakingChange {
  version: string
  message: string
  /** Until when Airbyte's own platform waits: `2024-03-15`. */
  deadline?: string
  migrationUrl?: string
  /** Streams that it is about; absent: all. */
  streams?: string[]
}

const MAX_CHANGES = 100
const MAX_MESSAGE = 2000

/** From `releases.breakingChanges` of a connector's metadata, oldest first. */
export function breakingChangesOf({ breakingChanges }: JsonObject): BreakingChange[] {
  if (!isObject(breakingChanges)) return []
  return Object.entries(breakingChanges)
    .slice(0, MAX_CHANGES)
    .flatMap(([version, change]) => (isObject(change) ? [changeOf(version, change)] : []))
    .sort((a, b) => compareVersions(a.version, b.version))
}

function changeOf(version: string, change: JsonObject): BreakingChange {
  const { message, upgradeDeadline, migrationDocumentationUrl, scopedImpact } = change
  const streams = (Array.isArray(scopedImpact) ? scopedImpact : []).flatMap(streamsOf)
  return {
    version,
    message: String(message ?? '').slice(0, MAX_MESSAGE),
    ...(typeof upgradeDeadline === 'string' && { deadline: upgradeDeadline }),
    ...(typeof migrationDocumentationUrl === 'string' && {
      migrationUrl: migrationDocumentationUrl,
    }),
    ...(streams.length > 0 && { streams }),
  }
}

function streamsOf(scope: JsonValue): string[] {
  if (!isObject(scope) || scope.scopeType !== 'stream') return []
  return Array.isArray(scope.impactedScopes) ? scope.impactedScopes.map(String) : []
}

/**
 * Those that lie between two releases: in `(from, to]` for an upgrade, in `(to, from]` for the way
 * back.
 */
export function changesBetween(
  changes: readonly BreakingChange[],
  from: string,
  to: string,
): BreakingChange[] {
  const [low, high] = compareVersions(from, to) <= 0 ? [from, to] : [to, from]
  return changes.filter(
    ({ version }) => compareVersions(version, low) > 0 && compareVersions(version, high) <= 0,
  )
}

/** By number where there are numbers; a pre-release stands before its release. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  for (let i = 0; i < Math.max(left.numbers.length, right.numbers.length); i++) {
    const difference = (left.numbers[i] ?? 0) - (right.numbers[i] ?? 0)
    if (difference !== 0) return difference
  }
  if (left.rest === right.rest) return 0
  if (left.rest === '' || right.rest === '') return left.rest === '' ? 1 : -1
  return left.rest < right.rest ? -1 : 1
}

function partsOf(version: string): { numbers: number[]; rest: string } {
  const [numbers = '', ...rest] = version.split('-')
  return { numbers: numbers.split('.').map((part) => Number(part) || 0), rest: rest.join('-') }
}
