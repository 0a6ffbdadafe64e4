export type CodeTest = (code: number) => boolean

const UNICODE_DIGIT = /\p{Nd}/u
const UNICODE_WORD = /[\p{L}\p{N}]/u
const UNICODE_SPACE = /[\s\x85]/

const isDigit: CodeTest = (code) =>
  code < 128 ? code >= 48 && code <= 57 : UNICODE_DIGIT.test(String.fromCodePoint(code))

/** What `\w` matches: letters, digits and the underscore of any script. */
export const isWordCode: CodeTest = (code) =>
  code < 128
    ? (code >= 97 && code <= 122) ||
      (code >= 65 && code <= 90) ||
      (code >= 48 && code <= 57) ||
      code === 95
    : UNICODE_WORD.test(String.fromCodePoint(code))

const isSpace: CodeTest = (code) =>
  code < 128
    ? (code >= 9 && code <= 13) || (code >= 28 && code <= 32)
    : code !== 0xfeff && UNICODE_SPACE.test(String.fromCodePoint(code))

const CLASSES: Record<string, CodeTest> = {
  d: isDigit,
  D: (code) => !isDigit(code),
  w: isWordCode,
  W: (code) => !isWordCode(code),
  s: isSpace,
  S: (code) => !isSpace(code),
}

export const classEscape = (letter: string): CodeTest | undefined =>
  Object.hasOwn(CLASSES, letter) ? CLASSES[letter] : undefined

/** The lower-case form of a character, as case-insensitive patterns compare it. */
export const fold = (code: number): number =>
  String.fromCodePoint(code).toLowerCase().codePointAt(0) ?? code
export const upper = (code: number): number =>
  String.fromCodePoint(code).toUpperCase().codePointAt(0) ?? code
