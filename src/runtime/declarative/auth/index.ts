import { type Builders, build, type Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import { textTemplate } from '../interpolation.ts'
import { requestOption } from '../requester/request-option.ts'
import { jwtAuthenticator } from './jwt.ts'
import { legacySessionToken } from './legacy-session-token.ts'
import { oauthAuthenticator } from './oauth.ts'
import { quotaTokens } from './quota-tokens.ts'
import { sessionTokenAuthenticator } from './session-token.ts'
import { type AuthEnvironment, type Authenticator, header, NO_AUTH } from './types.ts'

export { type Authenticator, NO_AUTH } from './types.ts'

export const buildAuthenticator = (component: Component, env: AuthEnvironment): Authenticator =>
  build(AUTHENTICATORS, component, env)

const AUTHENTICATORS: Builders<Authenticator, AuthEnvironment> = {
  NoAuth: () => NO_AUTH,

  ApiKeyAuthenticator(component, env) {
    const bound = { env, parameters: component.parameters }
    const token = textTemplate(component.optionalText('api_token') ?? '', bound)
    const option = component.optionalChild('inject_into')
    if (option && component.has('header')) {
      throw component.refuse('Only one of header and inject_into.')
    }
    if (option) {
      const inject = requestOption(option, env)
      return { options: async () => inject(token()) }
    }
    const name = textTemplate(component.text('header'), bound)
    return { options: async () => header(name(), token()) }
  },

  BearerAuthenticator(component, env) {
    const token = textTemplate(component.text('api_token'), {
      env,
      parameters: component.parameters,
    })
    return { options: async () => header('Authorization', `Bearer ${token()}`) }
  },

  BasicHttpAuthenticator(component, env) {
    const bound = { env, parameters: component.parameters }
    const username = textTemplate(String(component.required('username')), bound)
    const password = textTemplate(String(component.get('password') ?? ''), bound)
    return {
      options: async () =>
        header('Authorization', `Basic ${base64(`${username()}:${password()}`)}`),
    }
  },

  CustomAuthenticator: (component, env) =>
    customPart('authenticator', component, env.custom, { env }),
  LegacySessionTokenAuthenticator: legacySessionToken,
  RateLimitedMultipleTokenAuthenticator: quotaTokens,
  OAuthAuthenticator: oauthAuthenticator,
  JwtAuthenticator: jwtAuthenticator,
  SessionTokenAuthenticator: sessionTokenAuthenticator,

  SelectiveAuthenticator(component, env) {
    const path = component.list('authenticator_selection_path').map(String)
    const chosen = path.reduce<unknown>(
      (node, key) => (node as Record<string, unknown> | undefined)?.[key],
      env.config,
    )
    const choices = component.child('authenticators')
    if (typeof chosen !== 'string' || !choices.has(chosen)) {
      throw component.refuse(
        `The config has no authenticator's name at '${path.join('.')}'; one of ${Object.keys(choices.fields).join(', ')} is expected.`,
      )
    }
    return buildAuthenticator(choices.child(chosen), env)
  },
}

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64')
