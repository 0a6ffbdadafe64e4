import {
  AirbyteError,
  isObject,
  type JsonObject,
  type JsonValue,
  LONGEST_WAIT_MS,
} from '../../protocol/index.ts'

/**
 * Nothing can be read before `until`, and that is longer than a run sleeps through. A read keeps
 * `progress` in its saved position and hands it back to the retriever when it goes on; whoever
 * does not know how to wait reports what made it wait: a failure, or RATE_LIMITED with the time.
 */
export class WaitUntil extends AirbyteError {
  readonly until: number
  readonly progress: JsonValue
  /** What is tried again then, where no limit of the API asks for the wait. */
  readonly failure?: AirbyteError | undefined

  /** @param until epoch milliseconds */
  constructor(
    message: string,
    stream: string,
    until: number,
    progress: JsonValue = null,
    failure?: AirbyteError,
  ) {
    super('RATE_LIMITED', message, { stream, retryAt: until })
    this.until = until
    this.progress = progress
    this.failure = failure
  }

  /** What is said where nobody comes back at `until`. */
  get reported(): AirbyteError {
    return this.failure ?? this
  }

  /** The same wait, with what it keeps under a name. */
  under(name: string): WaitUntil {
    return this.#with({ [name]: this.progress })
  }

  /** The same wait, which keeps this too. */
  keeping(more: JsonObject): WaitUntil {
    const own = isObject(this.progress) ? this.progress : {}
    return this.#with({ ...more, ...own })
  }

  #with(progress: JsonValue): WaitUntil {
    return new WaitUntil(this.message, this.stream ?? '', this.until, progress, this.failure)
  }
}

/** What had to wait while a request was prepared, as a wait of that request. */
export function asWait(error: unknown, stream: string, progress: JsonValue): unknown {
  const passes = error instanceof AirbyteError && error.kind === 'transient'
  if (!passes || error.retryAt === undefined) return error
  const failure = error instanceof WaitUntil ? error.failure : undefined
  return new WaitUntil(error.message, stream, error.retryAt, progress, failure)
}

/** @throws the wait itself, where it is longer than anyone waits */
export async function waitOut(wait: WaitUntil, now: number, sleep: (ms: number) => Promise<void>) {
  const left = wait.until - now
  if (left > LONGEST_WAIT_MS) throw wait
  await sleep(Math.max(0, left))
}

/** Also of moments past those that a date can name. */
export const isoTime = (ms: number) => new Date(Math.min(ms, 8.64e15)).toISOString()
