import type { SignInReason } from '../../identity/sign-in/problem.ts'
import { problemPage } from './problem.tsx'

interface Explanation {
  status: number
  title: string
  text(provider: string): string
}

const EXPLANATIONS: Record<SignInReason, Explanation> = {
  declined: {
    status: 403,
    title: 'You are not signed in',
    text: (provider) => `Signing in was cancelled at ${provider}.`,
  },
  stale: {
    status: 400,
    title: 'This sign-in cannot be finished',
    text: () =>
      'It was begun in another browser, took longer than ten minutes, or is done already.',
  },
  unavailable: {
    status: 502,
    title: 'Signing in does not work at the moment',
    text: (provider) => `${provider} does not answer as it should. Try again in a minute.`,
  },
  unconfirmed: {
    status: 502,
    title: 'You are not signed in',
    text: (provider) =>
      `The answer of ${provider} could not be confirmed. If this happens again, tell whoever runs this server.`,
  },
  not_allowed: {
    status: 403,
    title: 'This account has no access',
    text: (provider) =>
      `This server is only for some accounts of ${provider}, and their e-mail address must be verified there. Ask whoever runs it, or use another account.`,
  },
}

/** Why nobody was signed in, and the way to try again. */
export function signInProblemPage(
  reason: SignInReason,
  provider: string,
  returnTo: string,
): Response {
  const { status, title, text } = EXPLANATIONS[reason]
  const href = `/sign-in?${new URLSearchParams({ return_to: returnTo })}`
  return problemPage({
    status,
    title,
    text: text(provider),
    link: { href, label: 'Sign in again' },
  })
}
