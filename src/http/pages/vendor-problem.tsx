import { problemPage } from './problem.tsx'

export type VendorReason =
  | 'stale'
  | 'changed'
  | 'declined'
  | 'unavailable'
  | 'unconfirmed'
  | 'incomplete'
  | 'refused'

interface Explanation {
  status: number
  title: string
  text(vendor: string, detail: string): string
}

const EXPLANATIONS: Record<VendorReason, Explanation> = {
  stale: {
    status: 400,
    title: 'This cannot be finished',
    text: () =>
      'It was begun in another browser or by somebody else, took longer than ten minutes, or is done already. Open the link of your chat again.',
  },
  changed: {
    status: 409,
    title: 'Nothing was stored',
    text: (vendor) => `Meanwhile the address of the account at ${vendor} was changed.`,
  },
  declined: {
    status: 403,
    title: 'Nothing was stored',
    text: (vendor, detail) => `${vendor} did not give access (${detail}).`,
  },
  unavailable: {
    status: 502,
    title: 'Nothing was stored',
    text: (vendor, detail) => `${vendor} does not answer as it should (${detail}). Try again.`,
  },
  unconfirmed: {
    status: 502,
    title: 'Nothing was stored',
    text: (vendor, detail) =>
      `${vendor} gave no token (${detail}). If this happens again, its client is not registered as it should be: tell whoever did that.`,
  },
  incomplete: {
    status: 502,
    title: 'Nothing was stored',
    text: (vendor, detail) => `${detail} Allow everything that ${vendor} asks for, and try again.`,
  },
  refused: {
    status: 422,
    title: 'The test did not succeed',
    text: (_vendor, detail) => detail,
  },
}

export interface VendorProblem {
  /** Of the connector. */
  title: string
  /** Path of the page to try again on. */
  back: string
  detail?: string | null
}

/** Why there is no token, in words of ours: what the vendor wrote is quoted as far as it is a code. */
export function vendorProblemPage(reason: VendorReason, problem?: VendorProblem): Response {
  const { status, title, text } = EXPLANATIONS[reason]
  const { title: vendor = '', back, detail } = problem ?? {}
  const isOurs = reason === 'refused' || reason === 'incomplete'
  const code = isOurs || /^[\w. -]{1,60}$/.test(detail ?? '') ? (detail ?? '') : 'error'
  const link = back ? { href: back, label: 'Back to the credentials' } : undefined
  return problemPage({ status, title, text: text(vendor, code), link })
}
