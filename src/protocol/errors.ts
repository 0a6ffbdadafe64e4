import { ERROR_CODES, type ErrorCode, type ErrorKind } from './error-codes.ts'

export type { ErrorCode, ErrorKind } from './error-codes.ts'

export interface ErrorDetails {
  /** What to do next, for the person or agent who must act. Defaults to the code's own advice. */
  hint?: string
  /** The stream concerned, as `namespace.name`. */
  stream?: string
  /** Path of the input or config field concerned, such as `config.port` or `streams[0].name`. */
  field?: string
  /** Nearest valid values, for a name that does not exist. */
  didYouMean?: string[]
  /** Earliest moment at which trying again makes sense, in epoch milliseconds. */
  retryAt?: number
  cause?: unknown
}

/**
 * The one error class: what happened, to what, and what to do next.
 * Its kind follows from its code and maps to Airbyte's failure types
 * (`config` → config_error, `transient` → transient_error, `system` → system_error).
 *
 * @example
 * throw new AirbyteError('STREAM_NOT_FOUND', "The source has no stream 'order'.", {
 *   field: 'streams[0].name',
 *   didYouMean: ['orders'],
 * })
 */
export class AirbyteError extends Error {
  override readonly name = 'AirbyteError'
  readonly code: ErrorCode
  readonly kind: ErrorKind
  readonly hint: string
  readonly stream?: string
  readonly field?: string
  readonly didYouMean?: string[]
  readonly retryAt?: number

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.kind = ERROR_CODES[code].kind
    this.hint = details.hint ?? ERROR_CODES[code].next
    this.stream = details.stream
    this.field = details.field
    this.didYouMean = details.didYouMean
    this.retryAt = details.retryAt
  }

  toJSON(): ErrorRecord {
    const { code, kind, message, hint, stream, field, didYouMean, retryAt } = this
    return { code, kind, message, hint, stream, field, didYouMean, retryAt }
  }
}

/** An `AirbyteError` as plain data: what crosses an RPC, a queue or a face. */
export interface ErrorRecord {
  code: ErrorCode
  kind: ErrorKind
  message: string
  hint: string
  stream?: string
  field?: string
  didYouMean?: string[]
  retryAt?: number
}

/**
 * Anything thrown, as an `AirbyteError`. Unknown errors become `INTERNAL` (system).
 * Errors that crossed a Durable Object RPC lost their class; `packError` put the record in the message.
 */
export function toAirbyteError(error: unknown): AirbyteError {
  if (error instanceof AirbyteError) return error
  const message = error instanceof Error ? error.message : String(error)
  const packed = PACKED.exec(message)
  if (packed?.[1]) return fromRecord(JSON.parse(packed[1]) as ErrorRecord)
  return new AirbyteError('INTERNAL', message || 'unknown failure', { cause: error })
}

export function fromRecord(record: ErrorRecord): AirbyteError {
  return new AirbyteError(record.code, record.message, record)
}

const PACKED = /\[airbyte-error (\{.*\})\]$/s

/** Whether an error was wrapped by `packError` on its way: others never reached their `guarded` end. */
export const isPacked = (error: unknown) =>
  error instanceof AirbyteError || (error instanceof Error && PACKED.test(error.message))

/** Wraps an error so that its code survives an RPC between isolates; `toAirbyteError` undoes it. */
export function packError(error: unknown): Error {
  const known = toAirbyteError(error)
  return new Error(`${known.code} [airbyte-error ${JSON.stringify(known)}]`)
}
