import { AirbyteError } from '../../../protocol/index.ts'
import type { Token } from '../../contract.ts'
import type { Component } from '../component.ts'
import { plus } from '../cursor/instants.ts'
import { buildDecoder } from '../decoders/index.ts'
import { type Environment, WHOLE_STREAM } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'
import { PyDatetime } from '../python/datetime.ts'
import { parseDuration } from '../python/duration.ts'
import { str } from '../python/text.ts'
import type { Value } from '../python/values.ts'
import { valueAt } from '../records/paths.ts'
import { buildRequester } from '../requester/http-requester.ts'
import { requestOption } from '../requester/request-option.ts'
import { sharedToken } from './shared-token.ts'
import { type Authenticator, header, ownFieldsOf } from './types.ts'

/** A token that a login request gives; without `expiration_duration` every request logs in. */
export function sessionTokenAuthenticator(component: Component, env: Environment): Authenticator {
  const login = buildRequester(component.child('login_requester'), env)
  const path = component.list('session_token_path').map(String)
  const lasts = component.optionalText('expiration_duration')
  const { decode } = buildDecoder(component.optionalChild('decoder'), env)
  const shared = sharedToken(env, `session ${ownFieldsOf(component)}`, logIn)

  async function logIn(): Promise<Token> {
    const now = env.ctx.now()
    const answer = await login.send({ slice: WHOLE_STREAM, token: null, parts: [] })
    const value = answer && valueAt(await first(decode(answer)), path)
    if (value === undefined || value === null) {
      throw new AirbyteError(
        'AUTH_FAILED',
        `${env.stream}: the login's answer has nothing at '${path.join('.')}'.`,
      )
    }
    const loggedIn = PyDatetime.fromEpoch(Math.floor(now / 1000))
    const expiresAt = lasts ? plus(loggedIn, parseDuration(lasts)).timestamp() * 1000 : now
    return { value: str(value), expiresAt }
  }

  const token = async () => (lasts ? shared.current() : (await logIn()).value)

  const use = component.child('request_authentication')
  if (use.type === 'Bearer') {
    return { options: async () => header('Authorization', `Bearer ${await token()}`) }
  }
  const inject = requestOption(use.child('inject_into'), env)
  const source = use.optionalText('api_token')
  const format = source ? textTemplate(source, { env, parameters: use.parameters }) : undefined
  return {
    async options() {
      const session_token = await token()
      return inject(format ? format({ session_token }) : session_token)
    },
  }
}

async function first(batches: Iterable<Value[]> | AsyncIterable<Value[]>): Promise<Value> {
  for await (const [value] of batches) if (value !== undefined) return value
  return undefined
}
