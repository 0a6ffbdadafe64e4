import { OF_THE_OPERATOR } from '../../durable-object/operator-client.ts'
import { takeAttempt } from '../../identity/attempts.ts'
import { currentPerson } from '../../identity/session.ts'
import { toAirbyteError } from '../../protocol/index.ts'
import { configOfTokens } from '../../runtime/oauth/tokens.ts'
import { vendorProblemPage } from '../pages/vendor-problem.tsx'
import { SETUP_PATH } from '../setup.ts'
import { connectorOfSetup, finishSetup, visitSetup } from '../setup-visit.ts'
import { attemptKind, type VendorAttempt } from './attempt.ts'
import { exchange } from './exchange.ts'
import { VENDOR_PATH, vendorOf } from './vendor.ts'

const ROUTE = /^\/connect\/([a-z0-9][a-z0-9-]*)\/callback$/

export const isVendorPath = (path: string) => path.startsWith(VENDOR_PATH)

/**
 * `GET /connect/<connector>/callback`: back from the vendor. The code becomes tokens, which go where the
 * connector's spec wants them, sealed, and are tried. Nothing of them is shown. An answer that does
 * not count leaves the browser as it was: whoever sends one must not end a sign-in under way.
 */
export async function handleVendorAnswer(request: Request, env: Env): Promise<Response> {
  const { pathname, searchParams: answer } = new URL(request.url)
  const [, name] = ROUTE.exec(pathname) ?? []
  const person = await currentPerson(request, env)
  if (request.method !== 'GET' || !name || !person) return vendorProblemPage('stale')
  const attempt = await attemptOf(request, env, answer)
  if (attempt?.connector !== name || attempt.userId !== person.userId) {
    return vendorProblemPage('stale')
  }
  const visit = await visitSetup(request, env, attempt.setupId)
  if (visit instanceof Response) return visit
  const back = `${SETUP_PATH}${attempt.setupId}`
  const { record, connector } = await connectorOfSetup(visit)
  const { title } = connector.info
  const vendor = vendorOf(request, env, record, connector)
  const client = attempt.client ?? vendor?.client
  const isSame = vendor?.redirectUri === attempt.redirectUri && vendor.tokenUrl === attempt.tokenUrl
  if (!vendor || !client || !isSame) return vendorProblemPage('changed', { title, back })
  if (answer.has('error')) {
    return vendorProblemPage('declined', { title, back, detail: answer.get('error') })
  }
  const code = answer.get(vendor.declaration.keys.code)
  if (!code) return vendorProblemPage('unconfirmed', { title, back, detail: 'no code' })

  const { redirectUri, state, verifier } = attempt
  const dance = { config: record.config, client, redirectUri, state, verifier }
  for (const secret of [code, client.secret, verifier]) visit.ctx.secrets.add(secret)
  const tokens = await exchange(visit.ctx, vendor.declaration, dance, code)
  if ('reason' in tokens) {
    return vendorProblemPage(tokens.reason, { title, back, detail: tokens.detail })
  }
  const kept = attempt.client ?? { id: client.id, secret: OF_THE_OPERATOR }
  try {
    const config = configOfTokens(vendor.declaration, tokens.answer, kept)
    const end = await finishSetup(env, visit, config)
    if (end instanceof Response) return end
    return vendorProblemPage('refused', { title, back, detail: end.message })
  } catch (error) {
    return vendorProblemPage('incomplete', { title, back, detail: toAirbyteError(error).message })
  }
}

/** Vendors give `state` back under the name that the connector gave it. */
async function attemptOf(
  request: Request,
  env: Env,
  answer: URLSearchParams,
): Promise<VendorAttempt | null> {
  const kind = attemptKind(request)
  const state = answer.get('state')
  const candidates = state === null ? [...answer.values()].slice(0, 10) : [state]
  for (const candidate of candidates) {
    const attempt = await takeAttempt<VendorAttempt>(env, request, kind, candidate)
    if (attempt) return attempt
  }
  return null
}
