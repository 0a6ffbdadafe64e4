import { AirbyteError } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'
import { isMapping, mappingGet } from '../python/mappings.ts'
import { str } from '../python/text.ts'
import { Answer } from '../requester/answer.ts'
import { sharedToken } from './shared-token.ts'
import { type AuthEnvironment, type Authenticator, header, ownFieldsOf } from './types.ts'

const DAY = 86_400_000

/** A session token of the config while it is valid, else one that a login with the config's user gives. */
export function legacySessionToken(component: Component, env: AuthEnvironment): Authenticator {
  const bound = { env, parameters: component.parameters }
  const text = (field: string) => textTemplate(component.optionalText(field) ?? '', bound)()
  const api = textTemplate(env.apiUrl ?? '', bound)()
  const name = text('header')
  const shared = sharedToken(env, `session ${ownFieldsOf(component)}`, async () => {
    const given = text('session_token')
    const value = given && (await isValid(given)) ? given : await login()
    return { value, expiresAt: env.ctx.now() + DAY }
  })

  async function isValid(given: string): Promise<boolean> {
    const { status } = await ask(`${api}${text('validate_session_url')}`, env, {
      headers: { [name]: given },
    })
    if (status === 401) return false
    if (status < 400) return true
    throw refused(env, `The session token could not be validated: ${status}.`)
  }

  async function login(): Promise<string> {
    const [username, password] = [text('username'), text('password')]
    if (!username || !password) {
      throw refused(env, 'The config has neither a valid session token nor a user and a password.')
    }
    const answer = await ask(`${api}${text('login_url')}`, env, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    const field = text('session_token_response_key')
    const value = isMapping(answer.json) ? mappingGet(answer.json, field) : undefined
    if (!answer.ok || value === undefined || value === null) {
      throw refused(env, `The login was answered with ${answer.status} and no '${field}'.`)
    }
    return str(value)
  }

  return { options: async () => header(name, await shared.current()) }
}

async function ask(url: string, { ctx }: Environment, init: RequestInit): Promise<Answer> {
  return Answer.of(url, await ctx.http.fetch(url, init))
}

const refused = ({ stream }: Environment, message: string) =>
  new AirbyteError('AUTH_FAILED', `${stream}: ${message}`, { stream })
