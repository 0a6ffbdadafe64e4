import { AirbyteError, isObject, type JsonObject } from '../../protocol/index.ts'
import { type Builders, build, type Component } from './component.ts'
import type { Environment } from './environment.ts'
import { openStream } from './stream/delegate.ts'
import {
  dynamicStreamName,
  type ListedStream,
  listStaticStreams,
  listStreams,
} from './stream/list.ts'
import { readPagesNow } from './stream/read-pages.ts'
import { fromAirbyteState } from './stream/state.ts'

type SourceEnv = Omit<Environment, 'stream'>

/**
 * Fetches the first page of each stream that the manifest's check names. No record is a success;
 * nothing to ask for is a failure.
 *
 * @throws what the stream throws, STREAM_NOT_FOUND, or SOURCE_MISCONFIGURED for an empty parent
 */
export async function checkStreams(root: Component, env: SourceEnv): Promise<void> {
  const check = root.child('check')
  const config = { ...env.config, ...overrides(check, root, env) }
  await build(CHECKS, check, { root, env: { ...env, config } })
}

const CHECKS: Builders<Promise<void>, { root: Component; env: SourceEnv }> = {
  async CheckStream(check, { root, env }) {
    const names = namesOf(check, env)
    const dynamics = check.children('dynamic_streams_check_configs')
    const listed = await listFor(names, dynamics.length > 0, root, env)
    for (const name of names) {
      const found = listed.find((stream) => stream.name === name)
      if (found) await checkStream(found, env)
      else throw notFound(`The check names '${name}', which is no stream.`, name)
    }
    for (const dynamic of dynamics) {
      for (const stream of madeStreams(dynamic, listed, root)) await checkStream(stream, env)
    }
  },

  async CheckDynamicStream(check, { root, env }) {
    const listed = await listStreams(root, env)
    if (listed.length === 0) throw notFound('Under this config the source has no streams.')
    if (!check.flag('use_check_availability', true)) return
    const count = Number(check.required('stream_count'))
    for (const stream of listed.slice(0, Math.max(0, count))) await checkStream(stream, env)
  },
}

/** Overrides the manifest's choice of streams. */
const NAMES_KEY = '__airbyte_check_stream_names'

function namesOf(check: Component, { config }: SourceEnv): string[] {
  if (!check.has('stream_names') && !check.has('dynamic_streams_check_configs')) {
    throw check.refuse('Either stream_names or dynamic_streams_check_configs is needed.')
  }
  const given = config[NAMES_KEY]
  if (given === undefined || (Array.isArray(given) && given.length === 0)) {
    return check.list('stream_names').map(String)
  }
  if (Array.isArray(given) && given.every((name) => typeof name === 'string')) return given
  throw new AirbyteError('VALIDATION_FAILED', `config.${NAMES_KEY} must be a list of names.`, {
    field: `config.${NAMES_KEY}`,
  })
}

/** Streams that the API lists are not asked for when only others are checked. */
async function listFor(names: string[], dynamic: boolean, root: Component, env: SourceEnv) {
  const known = listStaticStreams(root, env)
  const suffices =
    !dynamic &&
    names.length > 0 &&
    names.every((name) => known.some((stream) => stream.name === name))
  return suffices ? known : listStreams(root, env)
}

function madeStreams(dynamic: Component, listed: ListedStream[], root: Component): ListedStream[] {
  const name = dynamic.text('dynamic_stream_name')
  const known = root.children('dynamic_streams').map(dynamicStreamName)
  if (!known.includes(name)) throw notFound(`The manifest has no dynamic stream '${name}'.`)
  const count = dynamic.get('stream_count')
  const made = listed.filter(({ madeBy }) => madeBy === name)
  return typeof count === 'number' ? made.slice(0, count) : made
}

async function checkStream({ name, component }: ListedStream, env: SourceEnv): Promise<void> {
  const { stream, saved } = openStream(component, { ...env, stream: name }, fromAirbyteState({}))
  let asked = false
  for await (const page of readPagesNow(stream, saved)) {
    // The closing page alone means that there was nothing to ask for.
    asked = page.before.at !== undefined
    break
  }
  if (asked) return
  throw new AirbyteError(
    'SOURCE_MISCONFIGURED',
    `${name}: no stream slices were found: its parent streams are empty, or its start is not yet.`,
    { stream: name },
  )
}

const notFound = (message: string, stream?: string) =>
  new AirbyteError('STREAM_NOT_FOUND', message, { stream })

/** What the check sees in place of the user's values: as it stands, one level deep. */
function overrides(check: Component, root: Component, env: SourceEnv): JsonObject {
  const given = check.object('config_overrides')
  const names = Object.keys(given)
  const reserved = names.find((name) => name.startsWith('__airbyte'))
  if (reserved !== undefined) {
    throw check.refuse(`'${reserved}' belongs to the platform.`, 'config_overrides')
  }
  if (names.length > 0 && writesConfigBack(root.fields)) {
    throw check.refuse(
      'A refresh_token_updater would store them as the config: both cannot be had.',
      'config_overrides',
    )
  }
  if (names.length > 0) env.ctx.log('info', `The check overrides ${names.join(', ')}.`)
  return given
}

function writesConfigBack(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(writesConfigBack)
  if (!isObject(node)) return false
  const isUpdater = node.type === 'OAuthAuthenticator' && isObject(node.refresh_token_updater)
  return isUpdater || Object.values(node).some(writesConfigBack)
}
