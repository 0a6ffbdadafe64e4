import { AirbyteError } from '../../../protocol/index.ts'

/** The largest manifests known have some 100,000 values, twice that with their references replaced. */
const MAX_VALUES = 1_000_000
const MAX_DEPTH = 400

/**
 * Counts the values of a manifest as aliases and references multiply them: a few lines can mean
 * more than a memory holds.
 *
 * @throws VALIDATION_FAILED past a million values or 400 levels
 */
export function valueCounter(): (depth: number) => void {
  let count = 0
  return (depth) => {
    count += 1
    if (count > MAX_VALUES) throw tooLarge(`stands for more than ${MAX_VALUES} values`)
    if (depth > MAX_DEPTH) throw tooLarge(`is nested more than ${MAX_DEPTH} levels deep`)
  }
}

const tooLarge = (what: string) =>
  new AirbyteError('VALIDATION_FAILED', `The manifest ${what}.`, {
    field: 'manifest',
    hint: 'Look for references or aliases that multiply.',
  })
