import type { ConfiguredStream, JsonObject, JsonValue } from '../../protocol/index.ts'
import type { ConnectorContext, SourceOwner, Token } from '../contract.ts'
import type { CustomRegister } from './custom/register.ts'
import type { Scope } from './interpolation.ts'
import type { Value } from './python/values.ts'
import type { CallBudget } from './requester/budget.ts'
import { StreamSlice } from './template/index.ts'
import type { Language } from './versions/language.ts'

/** What the components of a stream are built with, and share while it is read. */
export interface Environment {
  config: JsonObject
  ctx: ConnectorContext
  /** The stream being built; messages name it. */
  stream: string
  run: Run
  /** Classes in the place of those that a manifest names by `class_name`. */
  custom?: CustomRegister
  /** The version of the language that the manifest is read in; absent: the newest. */
  language?: Language
}

/** What all streams of one read share. */
export interface Run {
  /** Waits; rejects when the read is aborted. */
  sleep(ms: number): Promise<void>
  /** The time, which has passed while the run slept also where the clock stands still. */
  now(): number
  /** The longest wait that is slept through now; a longer one is a `WaitUntil`. */
  readonly longestSleepMs: number
  /** Lists are newest first, and rows are put into the order of their changes. */
  newestFirst: boolean
  /** How many jobs of asynchronous retrievers may run at the API at once. */
  jobLimit: number
  /** Whom tokens, seats and calls are asked of: the source's owner, or one for this run alone. */
  owner: Omit<SourceOwner, 'saveConfig'>
  /** The tokens and sessions that are known to be valid, by what their authenticator is made of. */
  tokens: Map<string, Token>
  /** What equal authenticators of several streams have in common. */
  shared: Map<string, unknown>
  /** How many calls the API allows. */
  budget?: CallBudget | undefined
  /** Answers of parents' requests, by method, URL and body. */
  cache: Map<string, unknown>
  /** The streams that are read, as the user configured them; empty outside of a read. */
  configured: ReadonlyMap<string, ConfiguredStream>
  /** Nobody goes on from where this ends: it is a check or a discovery. */
  probes?: boolean
  /** Pages are asked for before their turn: the reader is expected to take all of them. */
  readsAhead?: boolean
  /** Told when a request has to wait. */
  onRateLimit?(stream: string, until: number): void
  /** Told when the source changed its own config. */
  onConfig?(config: JsonObject): void
}

/** What was made under this key before, or what `make` gives. */
export function sharedOf<Thing>({ shared }: Run, key: string, make: () => Thing): Thing {
  if (!shared.has(key)) shared.set(key, make())
  return shared.get(key) as Thing
}

/**
 * A part of a stream that one run of pages reads: a partition and, with a cursor, an interval.
 * Templates see it as `stream_slice`, `stream_partition` and `stream_interval`, which are one.
 */
export interface Slice {
  partition: JsonObject
  interval: JsonObject
  extra: { [key: string]: JsonValue }
  /** The body of its first page, where that is known already. */
  first?: Value
  /** The stream's state before the slice, where templates of an older language ask for it. */
  state?: JsonObject
}

export const WHOLE_STREAM: Slice = { partition: {}, interval: {}, extra: {} }

/** What the templates of a request see of its slice and page token. */
export function sliceScope(slice: Slice, token?: JsonValue): Scope {
  const merged = new StreamSlice({
    partition: slice.partition,
    cursorSlice: slice.interval,
    extraFields: slice.extra,
  })
  return {
    ...slice.extra,
    ...(slice.state ? { stream_state: slice.state } : {}),
    stream_slice: merged,
    next_page_token: token === undefined || token === null ? null : { next_page_token: token },
  }
}
