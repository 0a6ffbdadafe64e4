import { AirbyteError, type FieldRange } from '../../../src/protocol/index.ts'

/** Indexes of the rows of a range by `id`, which is the index plus one; the error, where it cannot be used. */
export function rowsInRange(
  range: FieldRange | undefined,
): { from: number; to: number } | AirbyteError {
  if (!range) return { from: 0, to: Number.POSITIVE_INFINITY }
  if (range.field !== 'id') {
    const message = `Sample data has ranges by 'id' only, not by '${range.field}'.`
    const place = { field: 'backfill.field', didYouMean: ['id'] }
    return new AirbyteError('VALIDATION_FAILED', message, place)
  }
  for (const end of ['from', 'to'] as const) {
    if (range[end] === undefined || /^-?\d{1,15}$/.test(range[end])) continue
    const message = `The value of backfill.${end} is no integer, the type of 'id'.`
    return new AirbyteError('VALIDATION_FAILED', message, { field: `backfill.${end}` })
  }
  const from = Math.max(0, Number(range.from ?? 1) - 1)
  return { from, to: range.to === undefined ? Number.POSITIVE_INFINITY : Number(range.to) - 1 }
}
