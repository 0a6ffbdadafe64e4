import { isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import { Component } from '../component.ts'
import { datetimeCursor } from '../cursor/datetime-cursor.ts'
import { compareInstants, fromMillis, minus } from '../cursor/instants.ts'
import type { Environment } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'
import type { PyDatetime } from '../python/datetime.ts'
import { parseDuration } from '../python/duration.ts'
import { buildStream, type Stream } from './build.ts'
import { NO_CURSOR, type SavedState } from './state.ts'

/** The branches of a `StateDelegatingStream`. */
export type Branch = 'full_refresh_stream' | 'incremental_stream'

/** A stream to be read from a saved state on. */
export interface OpenedStream {
  stream: Stream
  saved: SavedState
}

/**
 * The stream, or the branch of a delegating one that its state asks for: the first for a state that
 * is empty or older than what the API keeps, which is then dropped. An unfinished read goes on in the
 * branch that it is in, although by then it has a state.
 *
 * @throws UNSUPPORTED for a kind of stream that this runtime does not have, naming it
 */
export function openStream(
  component: Component,
  env: Environment,
  saved: SavedState,
): OpenedStream {
  if (component.type !== 'StateDelegatingStream') {
    return { stream: buildStream(component, env), saved }
  }
  const under = saved.at?.branch
  if (isBranch(under)) return { stream: buildBranch(component, env, under), saved }
  const isKnown = Object.keys(saved.airbyte).length > 0 && isKept(component, env, saved.airbyte)
  return isKnown
    ? { stream: buildBranch(component, env, 'incremental_stream'), saved }
    : {
        stream: buildBranch(component, env, 'full_refresh_stream'),
        saved: { ...saved, airbyte: {} },
      }
}

const isBranch = (value: JsonValue | undefined): value is Branch =>
  value === 'full_refresh_stream' || value === 'incremental_stream'

function buildBranch(component: Component, env: Environment, branch: Branch): Stream {
  const { fields, path } = component.child(branch)
  const named = new Component({ ...fields, name: component.text('name') }, path)
  return { ...buildStream(named, env), branch }
}

/** Whether the API still has all that has changed since the state. */
function isKept(component: Component, env: Environment, state: JsonObject): boolean {
  const source = component.optionalText('api_retention_period')
  const period = source && textTemplate(source, { env, parameters: component.parameters })()
  if (!period) return true
  const age = ageOf(component, env, state, 'full_refresh_stream')
  const moment = age ?? ageOf(component, env, state, 'incremental_stream')
  const oldest = minus(fromMillis(env.ctx.now()), parseDuration(period))
  const kept = moment !== undefined && compareInstants(moment, oldest) >= 0
  if (!kept) {
    const reason = `its state is older than ${period}, which is what the API keeps`
    env.ctx.log('warn', `${env.stream} is read anew: ${reason}.`)
  }
  return kept
}

/** What a branch's cursor makes of a state; undefined when it is not one of its states. */
function ageOf(
  component: Component,
  env: Environment,
  state: JsonObject,
  branch: Branch,
): PyDatetime | undefined {
  const node = component.child(branch).optionalChild('incremental_sync')
  if (!node) return NO_CURSOR_KEY in state ? fromMillis(env.ctx.now()) : undefined
  const cursor = datetimeCursor(node, env)
  const isPartitioned = component.child(branch).child('retriever').has('partition_router')
  const own = isPartitioned ? state.state : state
  if (!isObject(own)) return undefined
  if (own.state_type !== 'date-range') return cursor.parse(own[cursor.field])
  const [first] = Array.isArray(own.slices) ? own.slices : []
  return isObject(first) ? cursor.parse(first.most_recent_cursor_value || first.end) : undefined
}

const [NO_CURSOR_KEY = ''] = Object.keys(NO_CURSOR)
