import { AirbyteError, type JsonObject, type JsonValue } from '../../protocol/index.ts'
import { isObject } from './manifest/values.ts'

/**
 * Nothing can be read before `until`, and that is longer than a run sleeps through. A read keeps
 * `progress` in its saved position and hands it back to the retriever when it goes on; whoever
 * does not know how to wait reports it as what it is, RATE_LIMITED with the time.
 */
export class WaitUntil extends AirbyteError {
  readonly until: number
  readonly progress: JsonValue

  /** @param until epoch milliseconds */
  constructor(message: string, stream: string, until: number, progress: JsonValue = null) {
    super('RATE_LIMITED', message, { stream, retryAt: until })
    this.until = until
    this.progress = progress
  }

  /** The same wait, which keeps this too. */
  keeping(more: JsonObject): WaitUntil {
    const own = isObject(this.progress) ? this.progress : {}
    return new WaitUntil(this.message, this.stream ?? '', this.until, { ...more, ...own })
  }
}
