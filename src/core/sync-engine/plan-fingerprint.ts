import { createHash } from 'node:crypto'
import { stableJson } from '../../protocol/index.ts'
import type { PlannedStream } from './types.ts'

/**
 * What a plan makes of the destination, in a few characters: the target, its columns, how rows become
 * those, and the destination as it is configured. Not the sync that it is made for.
 */
export function planFingerprint(
  { plan, mapping, flattened, configured, basis }: PlannedStream,
  edition: number | undefined,
): string {
  const { syncId: _, ...settings } = plan
  const { selectedFields, keepsUnchanged, cursorField } = configured
  const whole = {
    settings,
    mapping,
    flattened,
    selectedFields,
    keepsUnchanged,
    cursorField,
    edition,
    // What is to be known of the rows is kept by whoever takes the stream up.
    basis,
  }
  return createHash('sha256').update(stableJson(whole)).digest('base64url').slice(0, 22)
}
