import { AirbyteError } from '../../../protocol/index.ts'

/** How an error handler asks for the pages of a slice to be walked otherwise. */
export type Detour = 'RESET_PAGINATION' | 'REDUCE_PAGE_SIZE' | 'SPLIT_REQUEST_WINDOW'

/** What a response asks of the walk over its slice's pages; an error where no such walk is. */
export class WalkSignal extends AirbyteError {
  readonly detour: Detour
  /** What the error handler says of the answer. */
  readonly said: string

  constructor(detour: Detour, stream: string, said = '') {
    const message = `${stream}: ${detour} is for the requester of a stream's own pages.`
    super('SOURCE_MISCONFIGURED', message, { stream })
    this.detour = detour
    this.said = said
  }
}
