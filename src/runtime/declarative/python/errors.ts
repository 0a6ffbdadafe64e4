/** The Python exceptions whose class decides what a template does next. */
export type PythonErrorType =
  | 'TypeError'
  | 'ValueError'
  | 'AttributeError'
  | 'KeyError'
  | 'IndexError'
  | 'ZeroDivisionError'
  | 'OverflowError'
  | 'UndefinedError'
  | 'SecurityError'
  | 'TemplateRuntimeError'
  | 'FilterArgumentError'
  | 'UnicodeError'
  | 'RegexError'
  | 'LimitError'

/**
 * An exception as Python would raise it. It stays inside the engine: a template turns it into
 * an `AirbyteError` that names template and position, or (TypeError, UndefinedError) into a result.
 */
export class PythonError extends Error {
  override readonly name = 'PythonError'
  readonly type: PythonErrorType

  constructor(type: PythonErrorType, message: string) {
    super(message)
    this.type = type
  }
}

export const typeError = (message: string) => new PythonError('TypeError', message)
export const valueError = (message: string) => new PythonError('ValueError', message)

/** No text that a template makes may be longer, no list have more items. */
export const MAX_LENGTH = 10_000_000
const MAX_ITEMS = 1_000_000
/** What one rendering may do in all, in characters made and values visited. */
const MAX_WORK = 200_000_000

/** Spent by the present rendering. Outside of one nothing is counted: minus infinity stays it. */
let spent = Number.NEGATIVE_INFINITY

/** Starts counting the work of a rendering. */
export function beginBudget(): void {
  spent = 0
}

export function endBudget(): void {
  spent = Number.NEGATIVE_INFINITY
}

/** Counts work whose size does not show in a length, such as comparing nested lists. */
export function spend(amount: number): void {
  spent += amount
  if (spent > MAX_WORK)
    throw new PythonError('LimitError', 'a template does more work than one rendering may')
}

/** Refuses a result that a short expression could blow up, such as `'x' * 10 ** 9`. */
export function checkLength(length: number): void {
  if (length > MAX_LENGTH)
    throw new PythonError('LimitError', `a value would grow past ${MAX_LENGTH} characters`)
  spend(length)
}

/** Refuses a list that a short expression could blow up, such as `[0] * 10 ** 9`. */
export function checkItems(count: number): void {
  if (count > MAX_ITEMS)
    throw new PythonError('LimitError', `a list would grow past ${MAX_ITEMS} items`)
  spend(count)
}
