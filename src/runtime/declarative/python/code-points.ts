import { valueError } from './errors.ts'
import { asIndex, type Value } from './values.ts'

const SURROGATE = /[\ud800-\udfff]/

/** The characters of a text as Python counts them: code points, not UTF-16 units. */
export function codePoints(text: string): string[] {
  return SURROGATE.test(text) ? Array.from(text) : text.split('')
}

export function textLength(text: string): number {
  return SURROGATE.test(text) ? Array.from(text).length : text.length
}

/** `text[start:stop]` with plain bounds. */
export function textSlice(text: string, start: number, stop?: number): string {
  return SURROGATE.test(text)
    ? Array.from(text).slice(start, stop).join('')
    : text.slice(start, stop)
}

/** The positions that `[start:stop:step]` selects of a sequence, as Python's `slice.indices`. */
export function sliceIndices(length: number, start: Value, stop: Value, step: Value): number[] {
  const stride = step === null || step === undefined ? 1 : asIndex(step)
  if (stride === 0) throw valueError('slice step cannot be zero')
  const backwards = stride < 0
  const clamp = (value: Value, missing: number) => {
    if (value === null || value === undefined) return missing
    const index = asIndex(value)
    const low = backwards ? -1 : 0
    const high = backwards ? length - 1 : length
    return index < 0 ? Math.max(index + length, low) : Math.min(index, high)
  }
  const from = clamp(start, backwards ? length - 1 : 0)
  const to = clamp(stop, backwards ? -1 : length)
  const indices: number[] = []
  for (let i = from; backwards ? i > to : i < to; i += stride) indices.push(i)
  return indices
}
