import { equalSecrets, randomText } from '../identity/crypto.ts'
import { readCookie } from '../identity/session.ts'
import type { ErrorRecord } from '../protocol/index.ts'
import { messagePage } from './pages/layout.tsx'
import { setupPage } from './pages/setup.tsx'
import { readBody } from './read-body.ts'
import { isForeign } from './same-origin.ts'
import { SETUP_PATH } from './setup.ts'
import { configOf, type SecretItem, secretForm } from './setup-form.ts'
import { connectorOfSetup, finishSetup, type SetupVisit, visitSetup } from './setup-visit.ts'
import { beginVendorSignIn } from './vendor-sign-in/begin.ts'
import { vendorOf } from './vendor-sign-in/vendor.ts'

const COOKIE = 'airbyte-setup'
const MAX_FORM_BYTES = 256 * 1024
const ROUTE = /^\/setup\/([^/]*)(\/sign-in)?$/

/**
 * - `GET /setup/<id>`: asks for the credentials that a chat must not carry
 * - `POST /setup/<id>`: stores them and tests them
 * - `POST /setup/<id>/sign-in`: on to the vendor, who gives a token in their place
 */
export async function handleSetup(request: Request, env: Env): Promise<Response> {
  const [, setupId, signIn] = ROUTE.exec(new URL(request.url).pathname) ?? []
  const isPost = request.method === 'POST'
  if (setupId === undefined || (signIn && !isPost)) {
    return messagePage('Not found', 'There is nothing at this address.', { status: 404 })
  }
  const visit = await visitSetup(request, env, setupId)
  if (visit instanceof Response) return visit
  if (!isPost) return ask(request, env, visit)
  const form = await acceptedForm(request)
  if (form instanceof Response) return form
  for (const value of form.values()) visit.ctx.secrets.add(value)
  const answer = signIn
    ? await beginVendorSignIn(request, env, visit, form)
    : await save(env, visit, form)
  return answer instanceof Response ? answer : ask(request, env, visit, answer)
}

async function ask(
  request: Request,
  env: Env,
  visit: SetupVisit,
  problem?: ErrorRecord,
): Promise<Response> {
  const { record, connector, items } = await formOf(visit)
  const token = randomText()
  const secure = new URL(request.url).protocol === 'https:' ? ' Secure;' : ''
  const headers = new Headers({
    'set-cookie': `${COOKIE}=${token}; Path=${SETUP_PATH};${secure} HttpOnly; SameSite=Strict; Max-Age=900`,
  })
  const { setupId, entity, name } = visit.setup
  const target = typeof record.config.host === 'string' ? record.config.host : undefined
  const vendor = vendorOf(request, env, record, connector)
  const { title: connectorTitle } = connector.info
  return setupPage(
    { setupId, entity, name, connectorTitle, target, items, token, problem, vendor },
    headers,
  )
}

async function save(env: Env, visit: SetupVisit, form: ReadonlyMap<string, string>) {
  const { items } = await formOf(visit)
  return finishSetup(env, visit, configOf(items, form))
}

/** A form that this browser got from the page, and no other site sent. */
async function acceptedForm(request: Request): Promise<Map<string, string> | Response> {
  const form = new Map(new URLSearchParams(await readBody(request, MAX_FORM_BYTES)))
  const bound = readCookie(request, COOKIE)
  if (bound && equalSecrets(form.get('token') ?? '', bound) && !isForeign(request)) return form
  return messagePage('Not accepted', 'Open the link again and enter the credentials there.', {
    status: 403,
  })
}

async function formOf(visit: SetupVisit) {
  const { record, connector } = await connectorOfSetup(visit)
  const schema = connector.spec().connectionSpecification
  const missing = new Set(record.missingSecrets)
  const items: SecretItem[] = secretForm(schema, record.config, missing)
  return { record, connector, items }
}
