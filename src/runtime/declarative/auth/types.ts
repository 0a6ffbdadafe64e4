import type { RequestOptions } from '../requester/options.ts'

/** Adds credentials to requests; asked anew for every attempt. */
export interface Authenticator {
  options(): Promise<RequestOptions>
  /** Gets a new token although the present one has not expired. */
  refresh?(): Promise<void>
}

export const header = (name: string, value: string): RequestOptions => ({
  header: new Map([[name, value]]),
})
