import type { Profile } from '../people.ts'

/** Who the provider vouched for. */
export interface SignedIn extends Profile {
  /** Present only if the provider says that it is verified. */
  email?: string
}

/** What binds the provider's answer to the browser that asked. All values are random and used once. */
export interface Challenge {
  state: string
  nonce: string
  /** PKCE's code verifier (RFC 7636); only its S256 digest leaves the server before the code comes. */
  verifier: string
}

/** A place where people sign in: an OIDC issuer, or GitHub. */
export interface SignInProvider {
  /** Part of its callback's path, so that no provider's answer can be taken for another's. */
  id: 'oidc' | 'github'
  /** As its button names it. */
  title: string
  /** Where to send the browser. @throws SignInProblem `unavailable` */
  begin(redirectUri: string, challenge: Challenge): Promise<URL>
  /**
   * Turns the parameters with which the browser came back into a person.
   * @throws SignInProblem when the person declined, or anything in the answer does not hold
   */
  finish(answer: URLSearchParams, redirectUri: string, challenge: Challenge): Promise<SignedIn>
}
