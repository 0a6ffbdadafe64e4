import { AirbyteError, type JsonValue } from '../../../protocol/index.ts'
import { exactJson } from '../../exact-json.ts'
import { buildAuthenticator, NO_AUTH } from '../auth/index.ts'
import type { Authenticator } from '../auth/types.ts'
import { type Builders, build, type Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import { type Environment, type Slice, sliceScope } from '../environment.ts'
import { buildErrorHandler, DEFAULT_HANDLER } from '../errors/handler.ts'
import { type Scope, textTemplate } from '../interpolation.ts'
import { toJson } from '../python/json.ts'
import { isMapping } from '../python/mappings.ts'
import { str } from '../python/text.ts'
import type { Answer } from './answer.ts'
import { CookieJar } from './cookies.ts'
import { combineOptions, type Fields, type Input, type RequestOptions } from './options.ts'
import { type Outgoing, sendWithRetries, triedBefore } from './send.ts'
import { staticOptions } from './static-options.ts'
import { encodeForm, joinUrl, withParameters } from './url.ts'

/** One page to ask for. */
export interface PageRequest {
  slice: Slice
  /** The page token; null on a first page without one. */
  token: JsonValue
  /** Where the paginator says the page is. */
  path?: string
  /** What paginator and slicer add. */
  parts: RequestOptions[]
  /** The body may be larger than memory: it is read piece by piece. */
  streams?: boolean
  /** What a wait in the middle of this request's attempts kept. */
  progress?: JsonValue
}

export interface Requester {
  /** Undefined for an answer that the error handler says to ignore although it failed. */
  send(page: PageRequest): Promise<Answer | undefined>
}

export const buildRequester = (component: Component, env: Environment): Requester =>
  build(REQUESTERS, component, env)

const REQUESTERS: Builders<Requester, Environment> = {
  CustomRequester: (component, env) => customPart('requester', component, env.custom, { env }),
  HttpRequester: httpRequester,
}

const METHODS = new Set(['GET', 'POST'])

function httpRequester(component: Component, env: Environment): Requester {
  const method = (component.optionalText('http_method') ?? 'GET').toUpperCase()
  if (!METHODS.has(method)) {
    throw component.refuse(`The method ${method} is not known; GET or POST.`, 'http_method')
  }
  const authChild = component.optionalChild('authenticator')
  const authenticator = authChild
    ? buildAuthenticator(authChild, { ...env, apiUrl: baseOf(component) })
    : NO_AUTH
  const handlerChild = component.optionalChild('error_handler')
  const handler = handlerChild ? buildErrorHandler(handlerChild, env) : DEFAULT_HANDLER
  const urlOf = urlTemplate(component, env)
  const own = staticOptions(component, env)
  const cached = component.flag('use_cache')
  const timeoutMs = timeoutOf(component)
  const cookies = new CookieJar()

  async function prepare({ slice, token, path, parts }: PageRequest): Promise<Outgoing> {
    const auth = await authenticator.options()
    const options = combineOptions([own(slice, token), auth, combineOptions(parts)])
    const parameters = fieldsIn(options.request_parameter, 'request parameters')
    for (const [name, value] of parameters) {
      if (isMapping(value)) {
        throw new AirbyteError(
          'VALIDATION_FAILED',
          `${component.path}: the request parameter '${name}' is an object.`,
        )
      }
    }
    const headers = new Headers()
    for (const [name, value] of fieldsIn(options.header, 'headers')) {
      headers.set(name, str(value).trim())
    }
    const body = bodyOf(options, headers)
    const url = withParameters(urlOf(sliceScope(slice, token), path), parameters)
    return { method, url, headers, body }
  }

  const send = async (page: PageRequest) =>
    sendWithRetries(
      {
        async prepare() {
          const request = await prepare(page)
          await authenticator.sign?.(request)
          const cookie = cookies.header(request.url, env.ctx.now())
          if (cookie && !request.headers.has('cookie')) request.headers.set('cookie', cookie)
          return request
        },
        handler,
        authenticator: authenticator as Authenticator,
        tried: triedBefore(page.progress),
        streams: page.streams,
        timeoutMs,
        cookies,
      },
      env,
    )

  if (!cached) return { send }
  return {
    async send(page) {
      const { method, url, headers, body } = await prepare(page)
      const key = JSON.stringify([method, url, body, [...headers]])
      const known = env.run.cache.get(key) as Answer | undefined
      if (known) return known
      const answer = await send(page)
      if (answer?.ok && answer.isWhole) env.run.cache.set(key, answer)
      return answer
    },
  }
}

/** The platform knows one limit for both the connection and the silence of a server. */
function timeoutOf(component: Component): number {
  const [connecting, reading] = ['connect_timeout_in_seconds', 'read_timeout_in_seconds'].map(
    (field) => {
      const seconds = component.get(field)
      if (seconds === undefined) return undefined
      if (typeof seconds === 'number' && seconds > 0) return seconds * 1000
      throw component.refuse('It must be a number of seconds.', field)
    },
  )
  return reading === undefined ? LONGEST_SILENCE_MS : reading + (connecting ?? 0)
}

/** The CDK waits for ever: some APIs think for minutes about a report. */
const LONGEST_SILENCE_MS = 300_000

function fieldsIn(input: Input | undefined, what: string): Fields {
  if (input === undefined || input === '') return new Map()
  if (typeof input === 'string') {
    throw new AirbyteError('VALIDATION_FAILED', `The ${what} are a text, not fields.`)
  }
  return input
}

function bodyOf(options: RequestOptions, headers: Headers): string | undefined {
  const { body_json: json, body_data: data } = options
  if (json !== undefined && data !== undefined) {
    throw new AirbyteError('VALIDATION_FAILED', 'A request has both a JSON body and form data.')
  }
  if (json !== undefined && json !== '') {
    if (typeof json === 'string') {
      throw new AirbyteError('VALIDATION_FAILED', 'The JSON body of a request is a text.')
    }
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    return exactJson(toJson(Object.fromEntries(json)))
  }
  if (data === undefined || data === '') return undefined
  if (typeof data === 'string') return data
  if (!headers.has('content-type')) {
    headers.set('content-type', 'application/x-www-form-urlencoded')
  }
  return encodeForm(data)
}

const baseOf = (component: Component) =>
  component.optionalText('url') || component.optionalText('url_base')

/** `url`, or `url_base` and `path`; the paginator's path wins over the requester's own. */
function urlTemplate(component: Component, env: Environment) {
  const bound = { env, parameters: component.parameters }
  const text = (field: string) => {
    const source = component.optionalText(field)
    return source ? textTemplate(source, bound) : () => ''
  }
  const [whole, base, path] = [text('url'), text('url_base'), text('path')]
  if (!component.has('url') && !component.has('url_base')) {
    throw component.refuse("Either 'url' or 'url_base' is needed.")
  }
  return (scope: Scope, pagePath: string | undefined): string => {
    const ownPath = pagePath || path(scope).replace(/^\/+/, '')
    const url = joinUrl(base(scope) || whole(scope), ownPath)
    if (URL.canParse(url)) return url
    throw new AirbyteError(
      'SOURCE_MISCONFIGURED',
      `${env.stream}: '${url.slice(0, 200)}' (${component.path}) is not a URL.`,
      { stream: env.stream },
    )
  }
}
