import type { Buffer } from 'node:buffer'

/** Nine digits to four bytes; fewer to fewer. */
const BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
const bytesOf = (digits: number) => Math.floor(digits / 9) * 4 + (BYTES[digits % 9] as number)

export const decimalBytes = (precision: number, scale: number) =>
  bytesOf(precision - scale) + bytesOf(scale)

/**
 * A DECIMAL as its text, every digit of it. Stored big-endian in groups of nine digits; the first bit is
 * the sign, inverted, and a negative number has all its bits inverted.
 */
export function readDecimal(bytes: Buffer, start: number, precision: number, scale: number) {
  const size = decimalBytes(precision, scale)
  const negative = ((bytes[start] as number) & 0x80) === 0
  const flip = negative ? 0xff : 0
  let at = start
  const group = (digits: number): string => {
    const length = BYTES[digits] as number
    let value = 0
    for (let i = 0; i < length; i++, at++) {
      const byte = (bytes[at] as number) ^ flip
      value = value * 256 + (at === start ? byte ^ 0x80 : byte)
    }
    return String(value).padStart(digits, '0')
  }
  const whole = precision - scale
  let text = whole % 9 > 0 ? group(whole % 9) : ''
  for (let i = Math.floor(whole / 9); i > 0; i--) text += group(9)
  text = text.replace(/^0+(?=\d)/, '') || '0'
  if (scale > 0) text += '.'
  for (let i = Math.floor(scale / 9); i > 0; i--) text += group(9)
  if (scale % 9 > 0) text += group(scale % 9)
  if (at !== start + size) throw new Error('a decimal has another size than its type says')
  return negative ? `-${text}` : text
}
