import { keepAttempt } from '../../identity/attempts.ts'
import { randomText } from '../../identity/crypto.ts'
import { AirbyteError, type ErrorRecord } from '../../protocol/index.ts'
import type { OAuthDeclaration } from '../../runtime/oauth/declaration.ts'
import { consentUrl, type OAuthClient } from '../../runtime/oauth/requests.ts'
import { messagePage } from '../pages/layout.tsx'
import { connectorOfSetup, type SetupVisit } from '../setup-visit.ts'
import { attemptKind, type VendorAttempt } from './attempt.ts'
import { CLIENT_FIELDS, vendorOf } from './vendor.ts'

/** Sends the person to the vendor, with a `state` that counts once, here, and for this setup. */
export async function beginVendorSignIn(
  request: Request,
  env: Env,
  visit: SetupVisit,
  form: ReadonlyMap<string, string>,
): Promise<Response | ErrorRecord> {
  const { setup, userId, ctx } = visit
  if (!ctx.caller.scopes.includes('workspace:write')) {
    const text = 'Your level in this workspace does not let you change its sources.'
    return messagePage('Not allowed', text, { status: 403 })
  }
  const { record, connector } = await connectorOfSetup(visit)
  const vendor = vendorOf(request, env, record, connector)
  if (!vendor) {
    return messagePage('Not offered', 'Enter the credentials instead.', { status: 409 })
  }
  const { declaration, redirectUri, tokenUrl } = vendor
  const brought = vendor.client ? undefined : clientIn(form)
  if (brought instanceof AirbyteError) return brought.toJSON()
  const attempt: VendorAttempt = {
    ...{ state: stateFor(declaration), verifier: randomText() },
    ...{ setupId: setup.setupId, userId, connector: connector.info.name, redirectUri, tokenUrl },
    client: brought,
  }
  const client = (vendor.client ?? brought) as OAuthClient
  const { state, verifier } = attempt
  const dance = { config: record.config, client, redirectUri, state, verifier }
  return new Response(null, {
    status: 303,
    headers: {
      location: consentUrl(declaration, dance).href,
      'cache-control': 'no-store',
      'set-cookie': await keepAttempt(env, attemptKind(request), attempt),
    },
  })
}

function clientIn(form: ReadonlyMap<string, string>): OAuthClient | AirbyteError {
  const id = form.get(CLIENT_FIELDS.id)?.trim()
  const secret = form.get(CLIENT_FIELDS.secret)?.trim()
  if (id && secret) return { id, secret }
  return new AirbyteError('VALIDATION_FAILED', 'Signing in there needs a client id and its secret.')
}

/** 256 bits, unless the vendor takes less. */
function stateFor({ stateLength: { min, max } }: OAuthDeclaration): string {
  return randomText(96).slice(0, Math.min(Math.max(43, min), max))
}
