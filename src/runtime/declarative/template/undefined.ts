import { PythonError, type PythonErrorType } from '../python/errors.ts'
import { PyObject, type Value } from '../python/values.ts'

/** What a missing attribute or key gives: empty text, false, and an error when used for more. */
export class Undefined extends PyObject {
  override readonly typeName = 'Undefined'
  readonly #message: string
  readonly #error: PythonErrorType

  constructor(message: string, error: PythonErrorType = 'UndefinedError') {
    super()
    this.#message = message
    this.#error = error
  }

  fail(): never {
    throw new PythonError(this.#error, this.#message)
  }

  override str(): string {
    return ''
  }

  override repr(): string {
    return 'Undefined'
  }

  override truthy(): boolean {
    return false
  }

  override length(): number {
    return 0
  }

  override iterate(): Iterable<Value> {
    return []
  }

  override attribute(): Value {
    return this.fail()
  }

  override item(): Value {
    return this.fail()
  }

  override equals(other: Value): boolean {
    return other instanceof Undefined
  }

  override compareTo(): number {
    return this.fail()
  }

  override hashKey(): string {
    return 'U'
  }
}
