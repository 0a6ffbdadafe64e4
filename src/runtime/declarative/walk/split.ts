import { AirbyteError, type JsonObject } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import { parseDuration } from '../python/duration.ts'
import { Timedelta } from '../python/timedelta.ts'
import type { Stream } from '../stream/build.ts'
import { asksFor, hasQueryProperties } from './actions.ts'

/** How an interval that the API finds too large is halved. */
export interface SplitRules {
  /** No interval as short as this is halved. */
  least: Timedelta | undefined
  failure(stream: string, interval: JsonObject, said: string): AirbyteError
}

/** @throws VALIDATION_FAILED where halving cannot work */
export function splitRules({ retriever, cursor, env }: Stream): SplitRules | undefined {
  const component = retriever.optionalChild('request_window_splitting')
  const isAsked = asksFor('SPLIT_REQUEST_WINDOW', retriever.child('requester'))
  if (!component) {
    if (!isAsked) return undefined
    throw retriever.refuse('The action SPLIT_REQUEST_WINDOW needs it.', 'request_window_splitting')
  }
  if (!isAsked) {
    env.ctx.log('warn', `${env.stream}: no response filter has the action SPLIT_REQUEST_WINDOW.`)
  }
  if (hasQueryProperties(retriever.child('requester'))) {
    throw component.refuse('It does not go with query properties: records would come twice.')
  }
  refuseUnsplittable(component, cursor)
  const hint = component.optionalText('failure_message')?.trim()
  return {
    least: leastOf(component),
    failure(stream, interval, said) {
      const window = Object.values(interval).join(' to ')
      const because = said ? `: ${said}` : ''
      return new AirbyteError(
        'UPSTREAM_ERROR',
        `${stream}: the API refuses the window ${window}, which cannot be made smaller${because}.`,
        { stream, ...(hint ? { hint } : {}) },
      )
    },
  }
}

function refuseUnsplittable(component: Component, cursor: Component | undefined): void {
  const refuse = (message: string) => component.refuse(`${message}.`)
  if (cursor?.type !== 'DatetimeBasedCursor' || !cursor.has('cursor_granularity')) {
    throw refuse('It needs a DatetimeBasedCursor with a cursor_granularity')
  }
  if (cursor.flag('is_client_side_incremental')) {
    throw refuse(
      'The window of a client-side incremental stream is not sent, so halving it is in vain',
    )
  }
  const granularity = parseDuration(cursor.text('cursor_granularity'))
  if (!(granularity instanceof Timedelta) || granularity.totalSeconds() <= 0) {
    throw refuse('The cursor_granularity has no fixed length')
  }
  const finest = finestOf(cursor.text('datetime_format'))
  if (finest !== undefined && granularity.totalSeconds() < finest) {
    throw refuse('The datetime_format cannot write what the cursor_granularity tells apart')
  }
}

function leastOf(component: Component): Timedelta | undefined {
  const source = component.optionalText('min_split_window')
  if (!source) return undefined
  const least = parseDuration(source)
  if (least instanceof Timedelta && least.totalSeconds() > 0) return least
  throw component.refuse('It has no fixed length.', 'min_split_window')
}

/** Seconds that a format can tell apart. */
function finestOf(format: string): number | undefined {
  const units = UNITS.filter(([directive]) => format.includes(directive)).map(([, unit]) => unit)
  return units.length > 0 ? Math.min(...units) : undefined
}

const UNITS: [directive: string, seconds: number][] = [
  ...(['%epoch_microseconds', '%s_as_float', '%f'] as const).map((one): [string, number] => [
    one,
    1e-6,
  ]),
  ['%_ms', 1e-3],
  ['%ms', 1e-3],
  ['%S', 1],
  ['%s', 1],
  ['%M', 60],
  ['%H', 3600],
  ['%I', 3600],
  ['%d', 86_400],
]
