import type { JsonObject } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { template, textTemplate } from '../interpolation.ts'
import type { PyDatetime } from '../python/datetime.ts'
import { parseDuration } from '../python/duration.ts'
import { formatDatetime, parseDatetime } from '../python/epoch-formats.ts'
import { PythonError } from '../python/errors.ts'
import { isoparse } from '../python/isoparse.ts'
import { str } from '../python/text.ts'
import { truthy, type Value } from '../python/values.ts'
import { overlay, requestOption } from '../requester/request-option.ts'
import { type Clamping, clampingOf } from './clamping.ts'
import { cursorField } from './field.ts'
import { earlier, fromMillis, type Gap, later } from './instants.ts'
import { Progress } from './progress.ts'
import { splitWindow } from './split.ts'
import type { StreamCursor } from './types.ts'

const DEFAULT_FORMAT = '%Y-%m-%dT%H:%M:%S.%f%z'

/** How a stream is cut by time. */
export interface DatetimeCursor extends StreamCursor<PyDatetime> {
  start: PyDatetime
  /** The latest moment to read; the same throughout a read. */
  end: PyDatetime
  lookback: Gap | undefined
  /** As in older versions of the language, the lookback goes on beyond the start. */
  lookbackBeyondStart: boolean
  /** As in older versions, the state of all partitions says nothing about a new one. */
  newPartitionsFromStart: boolean
  step: Gap | undefined
  granularity: Gap | undefined
  comparesStrictly: boolean
  clamping: Clamping
  format(moment: PyDatetime): string
  /** Undefined when no format fits. */
  parse(value: Value): PyDatetime | undefined
}

/** @param frozen the ends of an earlier invocation of the same read */
export function datetimeCursor(
  component: Component,
  env: Environment,
  frozen?: [string, string] | null,
): DatetimeCursor {
  const bound = { env, parameters: component.parameters }
  const text = (field: string, byDefault = '') =>
    textTemplate(component.optionalText(field) ?? byDefault, bound)()
  const gap = (field: string): Gap | undefined => {
    const source = component.optionalText(field)
    const value = source ? template(source, bound)() : undefined
    if (!truthy(value)) return undefined
    try {
      return parseDuration(value)
    } catch {
      throw component.refuse(`'${str(value)}' is not an ISO 8601 duration.`, field)
    }
  }
  const step = gap('step')
  const smallest = component.has('cursor_granularity')
    ? parseDuration(component.text('cursor_granularity'))
    : undefined
  // None at all is what PT0S means: windows share their ends, and an instant is not a window.
  const granularity = smallest && truthy(smallest) ? smallest : undefined
  if (component.has('step') !== component.has('cursor_granularity')) {
    throw component.refuse("'step' and 'cursor_granularity' go together.")
  }
  const format = component.text('datetime_format')
  const formats = [...component.list('cursor_datetime_formats').map(String), format]
  const clamping = clampingOf(component.optionalChild('clamping'), env, granularity)
  const [start, end] = frozen
    ? [isoparse(frozen[0]), isoparse(frozen[1])]
    : [
        moment(component, 'start_datetime', env, format),
        clamping.end(
          component.has('end_datetime')
            ? moment(component, 'end_datetime', env, format)
            : fromMillis(env.ctx.now()),
        ),
      ]
  const startKey = text('partition_field_start', 'start_time')
  const endKey = text('partition_field_end', 'end_time')
  const startOption = component.optionalChild('start_time_option')
  const endOption = component.optionalChild('end_time_option')
  const injectStart = startOption && requestOption(startOption, env)
  const injectEnd = endOption && requestOption(endOption, env)

  const field = cursorField(component, env)
  const parse = (value: Value) => firstThatFits(value, formats)
  const cursor: DatetimeCursor = {
    field,
    ...{ start, end, ends: [start.isoformat(), end.isoformat()] },
    lookback: gap('lookback_window'),
    lookbackBeyondStart: env.language?.was('lookbackBeyondStart') ?? false,
    newPartitionsFromStart: env.language?.was('newPartitionsFromStart') ?? false,
    step,
    granularity,
    comparesStrictly: component.flag('is_compare_strictly'),
    clamping,
    startKey,
    endKey,
    clientSide: component.flag('is_client_side_incremental'),
    dataFeed: component.flag('is_data_feed'),
    global: component.flag('global_substream_cursor'),
    format: (value) => formatDatetime(value, format),
    parse,
    valueOf: (record) => parse(record[field]),
    ...{ later, save: (value) => value.isoformat(), load: (saved) => isoparse(saved as string) },
    split: (interval, least) => splitWindow(cursor, interval, least),
    progress: (state) => Progress.fromState(cursor, state),
    restore: (saved) => Progress.deserialize(cursor, saved),
    options: (interval) =>
      overlay([
        injectStart && startKey in interval ? injectStart(interval[startKey]) : {},
        injectEnd && endKey in interval ? injectEnd(interval[endKey]) : {},
      ]),
  }
  return cursor
}

function firstThatFits(value: Value, formats: string[]): PyDatetime | undefined {
  if (value === null || value === undefined) return undefined
  for (const format of formats) {
    try {
      return parseDatetime(value, format)
    } catch (error) {
      if (!(error instanceof PythonError)) throw error
      if (error.type === 'TypeError') return undefined
    }
  }
  return undefined
}

/** A `MinMaxDatetime`, or a text in the cursor's format. */
function moment(component: Component, field: string, env: Environment, format: string): PyDatetime {
  const given = component.required(field)
  if (typeof given === 'string') {
    return read(component, field, given, env, component.parameters, format)
  }
  const node = component.child(field)
  const own = node.optionalText('datetime_format') || format || DEFAULT_FORMAT
  const at = (name: string) => {
    const source = node.optionalText(name)
    return source ? read(node, name, source, env, node.parameters, own) : undefined
  }
  let result = read(node, 'datetime', node.text('datetime'), env, node.parameters, own)
  const least = at('min_datetime')
  if (least) result = later(result, least)
  const most = at('max_datetime')
  return most ? earlier(result, most) : result
}

function read(
  component: Component,
  field: string,
  source: string,
  env: Environment,
  parameters: JsonObject,
  format: string,
): PyDatetime {
  const value = str(template(source, { env, parameters })())
  try {
    return parseDatetime(value, format)
  } catch {
    throw component.refuse(`'${value}' does not have the format '${format}'.`, field)
  }
}
