import type { ErrorCode, ErrorFields } from './types.ts'

/**
 * What a call failed with. `code` is stable (docs/errors.md), `hint` says what to do next.
 *
 * @example
 * try { await airbyte.sources.get('orders') }
 * catch (error) { if (error instanceof AirbyteError && error.code === 'NOT_FOUND') … }
 */
export class AirbyteError extends Error {
  override readonly name = 'AirbyteError'
  readonly code: ErrorCode
  readonly kind: 'config' | 'transient' | 'system'
  readonly hint: string
  readonly field?: string
  readonly stream?: string
  readonly didYouMean?: string[]
  /** Epoch milliseconds before which trying again makes no sense. */
  readonly retryAt?: number

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(message)
    this.code = code
    this.kind = fields.kind ?? 'system'
    this.hint = fields.hint ?? ''
    this.field = fields.field
    this.stream = fields.stream
    this.didYouMean = fields.didYouMean
    this.retryAt = fields.retryAt
  }
}
