import { AirbyteError } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import { plus } from '../cursor/instants.ts'
import { type Environment, WHOLE_STREAM } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'
import { PyDatetime } from '../python/datetime.ts'
import { parseDuration } from '../python/duration.ts'
import { isMapping, mappingGet } from '../python/mappings.ts'
import { str } from '../python/text.ts'
import type { Value } from '../python/values.ts'
import { buildRequester } from '../requester/http-requester.ts'
import { requestOption } from '../requester/request-option.ts'
import { type Authenticator, header, ownFieldsOf } from './types.ts'

/** A token that a login request gives; without `expiration_duration` every request logs in. */
export function sessionTokenAuthenticator(component: Component, env: Environment): Authenticator {
  const login = buildRequester(component.child('login_requester'), env)
  const path = component.list('session_token_path').map(String)
  const lasts = component.optionalText('expiration_duration')
  const key = `session ${ownFieldsOf(component)}`
  const { tokens } = env.run

  async function token(): Promise<string> {
    const now = env.ctx.now()
    const known = tokens.get(key)
    if (lasts && known && known.expiresAt >= now) return known.value
    const answer = await login.send({ slice: WHOLE_STREAM, token: null, parts: [] })
    const value = path.reduce<Value>(
      (node, name) => (isMapping(node) ? mappingGet(node, name) : undefined),
      answer?.json,
    )
    if (value === undefined || value === null) {
      throw new AirbyteError(
        'AUTH_FAILED',
        `${env.stream}: the login's answer has nothing at '${path.join('.')}'.`,
      )
    }
    if (lasts) {
      const loggedIn = PyDatetime.fromEpoch(Math.floor(now / 1000))
      const expiresAt = plus(loggedIn, parseDuration(lasts)).timestamp() * 1000
      tokens.set(key, { value: str(value), expiresAt })
    }
    return str(value)
  }

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
