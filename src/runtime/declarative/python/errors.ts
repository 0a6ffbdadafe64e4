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

/** No text, list or pattern run of a template may grow past this many characters, items or steps. */
export const MAX_LENGTH = 10_000_000

/** Refuses a result that a short expression could blow up, such as `'x' * 10 ** 9`. */
export function checkLength(length: number): void {
  if (length > MAX_LENGTH)
    throw new PythonError('LimitError', `a value would grow past ${MAX_LENGTH} characters or items`)
}
