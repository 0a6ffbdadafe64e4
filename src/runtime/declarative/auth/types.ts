import type { Component } from '../component.ts'
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

/**
 * What an authenticator is made of, without what came down from its stream: authenticators that are
 * equal share their token, whichever stream asks first.
 */
export function ownFieldsOf({ fields, parameters }: Component): string {
  return JSON.stringify(fields, (key, value: unknown) =>
    key === '$parameters' || (key in parameters && parameters[key] === value) ? undefined : value,
  )
}
