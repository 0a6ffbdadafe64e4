/** Patterns of a manifest on texts from outside: neither may make a program run for ever. */
import { PythonError } from './errors.ts'
import { compileRegex } from './regex.ts'

/**
 * Whether the pattern is found anywhere, as `re.search`. One that does not come to an end is not.
 *
 * @param unreadable the answer for a pattern that Python would refuse
 */
export const isFound = (pattern: string, text: string, unreadable = false): boolean =>
  attempt(() => compileRegex(pattern).search(text) !== undefined, false, unreadable)

/** What the pattern takes from the beginning of the text, as `re.match`; undefined for nothing. */
export const headOf = (pattern: string, text: string): string | undefined =>
  attempt(() => compileRegex(pattern).match(text)?.groups[0], undefined, undefined)

function attempt<T>(work: () => T, endless: T, unreadable: T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof PythonError)) throw error
    return error.type === 'RegexError' ? unreadable : endless
  }
}
