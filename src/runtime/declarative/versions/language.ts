import { AirbyteError, type JsonValue } from '../../../protocol/index.ts'
import { BETA, CHANGES, type Change, type ChangeName, NEWEST } from './changes.ts'

/** The version of the language that a manifest is read in. */
export interface Language {
  /** As it is written: `6.33.7`. */
  version: string
  /** Whether a place on the list still has its old meaning. */
  was(change: ChangeName): boolean
  /** Newer than the newest that is known here. */
  isNewer: boolean
}

/**
 * The language of a manifest: that of its own `version`, or of the CDK that ran it last where that
 * is newer and known.
 *
 * @param version the manifest's field
 * @param ranWith version of the CDK in the connector's image, of its metadata
 * @throws VALIDATION_FAILED when it is no version
 * @example
 * languageOf('6.33.7').was('streamState') // true
 * languageOf('0.51.2', '7.0.1').was('streamState') // false
 */
export function languageOf(version: JsonValue | undefined, ranWith?: string): Language {
  if (typeof version !== 'string' || !VERSION.test(version)) {
    throw new AirbyteError(
      'VALIDATION_FAILED',
      `manifest.version: ${version === undefined ? 'The version of the language is missing' : `'${version}' is no version`}; for example ${NEWEST}.`,
      { field: 'manifest.version' },
    )
  }
  const isBeforeBeta = compare(version, BETA) < 0
  const own = ranWith && VERSION.test(ranWith) && compare(version, ranWith) < 0 ? ranWith : version
  // Every CDK from 0.29 to 6.61 refused such a version: what ran was run by a newer one.
  const effective = compare(own, BETA) < 0 ? NEWEST : own
  return {
    version: own,
    isNewer: compare(effective, NEWEST) > 0,
    was(name) {
      if (name === 'stableLanguage') return isBeforeBeta
      const { since, until }: Change = CHANGES[name]
      const isLater = since === undefined || compare(effective, since) >= 0
      return isLater && compare(effective, until) < 0
    },
  }
}

const VERSION = /^\d+\.\d+(?:\.\d+)?(?:[-+.\w]*)$/

/** Negative when `a` is older; what follows the three numbers does not count. */
function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/[-+.]/).map(Number))
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] || 0) - (right?.[index] || 0)
    if (difference !== 0) return difference
  }
  return 0
}
