import { AirbyteError } from '../../protocol/index.ts'
import type { Component } from './component.ts'
import type { Environment } from './environment.ts'
import { openStream } from './stream/delegate.ts'
import { listStreams } from './stream/list.ts'
import { readPagesNow } from './stream/read-pages.ts'
import { fromAirbyteState } from './stream/state.ts'

/** Overrides the manifest's choice of streams. */
const NAMES_KEY = '__airbyte_check_stream_names'

/**
 * Fetches the first page of each stream that the manifest's check names. No record is a success;
 * no partition is a failure.
 *
 * @throws what the stream throws, STREAM_NOT_FOUND, or SOURCE_MISCONFIGURED for an empty parent
 */
export async function checkStreams(
  root: Component,
  env: Omit<Environment, 'stream'>,
): Promise<void> {
  const check = root.child('check')
  const listed = await listStreams(root, env)
  for (const name of namesOf(
    check,
    env,
    listed.map((stream) => stream.name),
  )) {
    const found = listed.find((stream) => stream.name === name)
    if (!found) {
      throw new AirbyteError('STREAM_NOT_FOUND', `The check names '${name}', which is no stream.`, {
        stream: name,
      })
    }
    const { stream, saved } = openStream(
      found.component,
      { ...env, stream: name },
      fromAirbyteState({}),
    )
    let asked = false
    for await (const page of readPagesNow(stream, saved)) {
      // The closing page alone means that there was nothing to ask for.
      asked = page.before.at !== undefined
      break
    }
    if (!asked && stream.routers.length > 0) {
      throw new AirbyteError(
        'SOURCE_MISCONFIGURED',
        `${name}: no stream slices were found, its parent streams are empty.`,
        { stream: name },
      )
    }
  }
}

function namesOf(check: Component, env: Omit<Environment, 'stream'>, all: string[]): string[] {
  if (check.type === 'CheckDynamicStream') {
    return all.slice(0, Number(check.get('stream_count') ?? 1))
  }
  if (check.type !== 'CheckStream') {
    throw new AirbyteError('UNSUPPORTED', `The check '${check.type}' cannot run here yet.`)
  }
  const given = env.config[NAMES_KEY]
  if (Array.isArray(given) && given.length > 0) return given.map(String)
  return check.list('stream_names').map(String)
}
