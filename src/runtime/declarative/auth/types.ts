import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import type { Answer } from '../requester/answer.ts'
import type { RequestOptions } from '../requester/options.ts'
import type { Outgoing } from '../requester/send.ts'

/** What an authenticator is built with. */
export interface AuthEnvironment extends Environment {
  /** The base of its requester's address, a template. */
  apiUrl?: string | undefined
}

/** Adds credentials to requests; asked anew for every attempt. */
export interface Authenticator {
  options(): Promise<RequestOptions>
  /** Gets a new token although the present one has not expired. */
  refresh?(): Promise<void>
  /** Puts credentials on a request that is otherwise ready: which ones depends on it. */
  sign?(request: Outgoing): Promise<void>
  /** Told of each answer to a request that it signed. */
  learn?(request: Outgoing, answer: Answer): void
  /** Whether other credentials can serve the request now, which the API refused as too many. */
  hasOther?(request: Outgoing): boolean
}

export const NO_AUTH: Authenticator = { options: async () => ({}) }

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
