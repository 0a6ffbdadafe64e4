import { typeError, valueError } from './errors.ts'
import { asIndex, typeName, type Value } from './values.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts these as blanks
const WORD = /[^\s\x1c-\x1f\x85]+/g

/** Python's `text.split(separator, limit)`, or `rsplit`. */
export function splitText(
  self: string,
  separator: Value,
  limit: Value,
  fromRight: boolean,
): string[] {
  const most = limit === undefined ? -1 : asIndex(limit)
  if (separator === null || separator === undefined) return splitBlanks(self, most, fromRight)
  if (typeof separator !== 'string')
    throw typeError(`must be str or None, not ${typeName(separator)}`)
  if (separator === '') throw valueError('empty separator')
  const parts = self.split(separator)
  if (most < 0 || parts.length <= most + 1) return parts
  return fromRight
    ? [parts.slice(0, parts.length - most).join(separator), ...lastOf(parts, most)]
    : [...parts.slice(0, most), parts.slice(most).join(separator)]
}

const lastOf = (parts: string[], count: number) => (count === 0 ? [] : parts.slice(-count))

/** Runs of blanks part the words; blanks at the ends part nothing. */
function splitBlanks(self: string, most: number, fromRight: boolean): string[] {
  const words = Array.from(self.matchAll(WORD))
  if (most < 0 || words.length <= most + 1)
    return rest(self, words, most) ?? words.map((word) => word[0])
  if (fromRight) {
    const at = words[words.length - most - 1]
    const head = self.slice(0, (at?.index ?? 0) + (at?.[0].length ?? 0))
    return [
      head,
      ...lastOf(
        words.map((word) => word[0]),
        most,
      ),
    ]
  }
  return [...words.slice(0, most).map((word) => word[0]), self.slice(words[most]?.index)]
}

/** The last word keeps the blanks behind it once the limit is used up exactly. */
function rest(self: string, words: RegExpExecArray[], most: number): string[] | undefined {
  if (most < 0 || words.length !== most + 1) return undefined
  return [...words.slice(0, most).map((word) => word[0]), self.slice(words[most]?.index)]
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: Python ends lines there
const LINE = /[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|$)/g

// biome-ignore lint/suspicious/noControlCharactersInRegex: Python ends lines there
const LINE_END = /(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])$/

export function splitLines(self: string, keepEnds: boolean): string[] {
  const lines = (self.match(LINE) ?? []).filter((line) => line !== '')
  return keepEnds ? lines : lines.map((line) => line.replace(LINE_END, ''))
}
