import { constants, createHmac, createPrivateKey, sign } from 'node:crypto'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { condition, hasExpression, template } from '../interpolation.ts'
import { loads, toJson } from '../python/json.ts'
import { str } from '../python/text.ts'
import { PyFunction, type Value } from '../python/values.ts'
import { requestOption } from '../requester/request-option.ts'
import { type Authenticator, header } from './types.ts'

const DURATION_S = 1200
const RESERVED_HEADERS = ['kid', 'alg', 'typ', 'cty']
const RESERVED_CLAIMS = ['iss', 'sub', 'aud', 'iat', 'exp', 'nbf']

/**
 * A JSON Web Token signed anew for each request.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7519
 */
export function jwtAuthenticator(component: Component, env: Environment): Authenticator {
  const scope = { json_loads: new PyFunction('loads', ([text]) => loads(str(text))) }
  const bound = { env, parameters: component.parameters }
  const evaluate = (owner: Component, field: string): Value => {
    const source = owner.get(field)
    return typeof source === 'string' ? template(source, bound)(scope) : source
  }
  const algorithm = component.text('algorithm')
  const option = component.optionalChild('request_option')
  const inject = option && requestOption(option, env)

  function claims(field: string, extraField: string, reserved: string[]): Record<string, Value> {
    const set: Record<string, Value> = {}
    for (const [name, source] of Object.entries(component.object(extraField))) {
      if (name === '$parameters') continue
      if (reserved.includes(name))
        throw component.refuse(`'${name}' is set by '${field}'.`, extraField)
      set[name] =
        typeof source === 'string' ? template(source, bound, { default: null })(scope) : source
    }
    const own = component.optionalChild(field)
    for (const name of own ? reserved : []) {
      if (own?.has(name)) set[name] = evaluate(own, name)
    }
    return set
  }

  function token(): string {
    const now = Math.floor(env.ctx.now() / 1000)
    const duration = component.get('token_duration')
    const encodeKey = component.get('base64_encode_secret_key')
    const encoded =
      typeof encodeKey === 'string'
        ? hasExpression(encodeKey)
          ? condition(encodeKey, bound)()
          : encodeKey === 'true'
        : encodeKey === true
    const key = str(evaluate(component, 'secret_key'))
    const passphrase = str(evaluate(component, 'passphrase') ?? '')
    const head = {
      ...claims('jwt_headers', 'additional_jwt_headers', RESERVED_HEADERS),
      alg: algorithm,
    }
    const body = {
      ...claims('jwt_payload', 'additional_jwt_payload', RESERVED_CLAIMS),
      iat: now,
      exp: now + (typeof duration === 'number' ? duration : DURATION_S),
      nbf: now,
    }
    const secret = encoded ? Buffer.from(key, 'utf8').toString('base64') : key
    return signed(byName({ typ: 'JWT', ...head }), body, algorithm, secret, passphrase, component)
  }

  const prefixed = () => {
    const prefix = evaluate(component, 'header_prefix')
    return prefix ? `${str(prefix)} ${token()}` : token()
  }
  return {
    options: async () => (inject ? inject(prefixed()) : header('Authorization', prefixed())),
  }
}

/** As the reference writes a token's head. */
const byName = (head: Record<string, Value>) =>
  Object.fromEntries(Object.entries(head).sort(([a], [b]) => (a < b ? -1 : 1)))

function signed(
  head: object,
  body: object,
  algorithm: string,
  key: string,
  passphrase: string,
  component: Component,
): string {
  const part = (value: object) => Buffer.from(JSON.stringify(toJson(value))).toString('base64url')
  const input = `${part(head)}.${part(body)}`
  const hash = `sha${algorithm.slice(2, 5)}`
  const family = algorithm.slice(0, 2)
  if (family === 'HS') return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`
  let signature: Buffer
  try {
    const privateKey = createPrivateKey(passphrase ? { key, passphrase } : key)
    const data = Buffer.from(input)
    signature =
      family === 'Ed'
        ? sign(null, data, privateKey)
        : sign(hash, data, { key: privateKey, ...SCHEMES[family] })
  } catch {
    // The cause may quote the key.
    throw component.refuse(`The secret key cannot sign with ${algorithm}.`, 'secret_key')
  }
  return `${input}.${signature.toString('base64url')}`
}

const SCHEMES: Record<string, object> = {
  RS: { padding: constants.RSA_PKCS1_PADDING },
  PS: {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  },
  ES: { dsaEncoding: 'ieee-p1363' },
}
