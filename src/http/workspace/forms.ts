import { createHmac } from 'node:crypto'
import { equalSecrets, randomText, seconds } from '../../identity/crypto.ts'
import { personObject } from '../../identity/objects.ts'
import { readCookie } from '../../identity/session.ts'
import { isForeign } from '../same-origin.ts'

/** How long a page may stay open before its forms are refused. */
const LIFETIME_S = 24 * 3600

/** Who may send a form, and about what. */
export interface FormOwner {
  userId: string
  /** The workspace, or the invitation, that the page is about. */
  subject: string
}

export interface FormSeal {
  /** Value of the hidden field `form`. */
  token: string
  /** `Set-Cookie` value, where the browser has no secret of ours yet. */
  cookie?: string
}

export type FormVerdict = 'accepted' | 'sent_before' | 'refused'

/**
 * A token for the forms of one page. It counts in this browser only (keyed with a cookie that no
 * script and no other site can read), for this person and subject only, and once.
 */
export async function sealForms(request: Request, owner: FormOwner): Promise<FormSeal> {
  const known = secretOf(request)
  const secret = known ?? randomText()
  const nonce = randomText(16)
  const expires = seconds() + LIFETIME_S
  const token = `${nonce}.${expires}.${mark(secret, nonce, expires, owner)}`
  return known ? { token } : { token, cookie: cookieOf(request, secret) }
}

/** Whether a form that was sent is one of ours. It is used up by asking. */
export async function judgeForm(
  request: Request,
  env: Env,
  owner: FormOwner,
  token: string,
): Promise<FormVerdict> {
  if (!isOurs(request, owner, token)) return 'refused'
  const [nonce = '', expires] = token.split('.')
  const isFirst = await personObject(env, owner.userId).useForm(nonce, Number(expires))
  return isFirst ? 'accepted' : 'sent_before'
}

/** The same of a form that changes nothing, which may be sent again. */
export function isOurs(request: Request, owner: FormOwner, token: string): boolean {
  const secret = secretOf(request)
  const [nonce = '', expiry = '', sent = ''] = token.split('.')
  const expires = Number(expiry)
  if (!secret || isForeign(request) || !(expires > seconds())) return false
  return equalSecrets(sent, mark(secret, nonce, expires, owner))
}

function mark(secret: string, nonce: string, expires: number, owner: FormOwner): string {
  const text = JSON.stringify([nonce, expires, owner.userId, owner.subject])
  return createHmac('sha256', secret).update(text).digest('hex')
}

function secretOf(request: Request): string | null {
  const secret = readCookie(request, cookieName(request))
  return secret && /^[\w-]{43}$/.test(secret) ? secret : null
}

/** Plain http, which is local mode, knows no `__Host-` cookies. */
const isSecure = (request: Request) => new URL(request.url).protocol === 'https:'
const cookieName = (request: Request) =>
  isSecure(request) ? '__Host-airbyte-form' : 'airbyte-form'

function cookieOf(request: Request, secret: string): string {
  const secure = isSecure(request) ? ' Secure;' : ''
  return `${cookieName(request)}=${secret}; Path=/;${secure} HttpOnly; SameSite=Strict`
}
