/** Why syncs fail, as a table: which errors mean it, what it is, what to do, and the call that does it. */
import type { ErrorCode } from '../../protocol/index.ts'
import type { End, Facts, Failure } from './facts.ts'

/** A call that a program or a model can make as it is. */
export interface Call {
  operation: string
  tool: string
  arguments: Record<string, unknown>
}

export interface Cause {
  id: string
  codes: readonly ErrorCode[]
  /** Further than by its code. */
  applies?(failure: Failure, facts: Facts): boolean
  /** Which end it lies with, where the code alone says so. */
  end?: 'source' | 'destination'
  title(end: End | undefined): string
  /** Before the error's own advice. */
  next?: string
  call(found: Found): Call
}

export interface Found {
  failure: Failure
  facts: Facts
  end: End | undefined
}

const enterCredentials = ({ end, facts }: Found): Call => ({
  ...{ operation: 'resources.update', tool: 'update_resource' },
  arguments: { id: (end ?? facts.source).name, enterCredentials: true },
})
const checkEnd = ({ end, facts }: Found): Call => ({
  ...{ operation: 'resources.check', tool: 'check_resource' },
  arguments: { id: (end ?? facts.source).name },
})
const lookAtSource = ({ failure, facts }: Found): Call => {
  const [stream] = failure.streams
  return {
    ...{ operation: 'sources.discover', tool: 'discover_streams' },
    arguments: {
      source: facts.source.name,
      ...(failure.streams.length === 1 && stream !== undefined && { stream }),
      refresh: true,
    },
  }
}
const lookAtStreams = ({ facts }: Found): Call => ({
  ...{ operation: 'sources.discover', tool: 'discover_streams' },
  arguments: { source: facts.source.name, refresh: true },
})
const reset = ({ failure, facts }: Found): Call => ({
  ...{ operation: 'connections.refresh', tool: 'reset_streams' },
  arguments: { connection: facts.connection.name, ...streamsIn(failure) },
})
/** Rows that were deleted in the gap are among those that the stream had. */
const resetAndRemove = (found: Found): Call => {
  const call = reset(found)
  return { ...call, arguments: { ...call.arguments, remove: true } }
}
const syncAgain = ({ facts }: Found): Call => ({
  ...{ operation: 'connections.sync', tool: 'run_sync' },
  arguments: { connection: facts.connection.name },
})
const follow = ({ facts }: Found): Call => ({
  ...{ operation: 'syncs.get', tool: 'get_sync' },
  arguments: { sync: facts.sync?.syncId, waitSeconds: 40 },
})
const readLog = ({ facts }: Found): Call => ({
  ...{ operation: 'syncs.logs', tool: 'get_sync_logs' },
  arguments: { sync: facts.sync?.syncId, level: 'warn' },
})
const resume = ({ facts }: Found): Call => ({
  ...{ operation: 'connections.update', tool: 'update_connection' },
  arguments: { connection: facts.connection.name, status: 'active' },
})
export const preview = (facts: Facts, stream: string): Call => ({
  ...{ operation: 'sources.preview', tool: 'preview_records' },
  arguments: { source: facts.source.name, stream },
})
const previewFailed = ({ failure, facts }: Found): Call => preview(facts, failure.streams[0] ?? '')

const streamsIn = ({ streams }: Failure) => (streams.length > 0 ? { streams } : {})
const nameOf = (end: End | undefined) => (end ? `${end.kind} '${end.name}'` : 'one of the ends')

/** Of those that fit a code, the first one. */
export const CAUSES: readonly Cause[] = [
  {
    id: 'auth_expired',
    codes: ['AUTH_FAILED', 'REAUTHORIZE'],
    title: (end) => `The credentials of ${nameOf(end)} are no longer accepted.`,
    next: 'Have the person enter them again on the page that this call gives; never ask for them here.',
    call: enterCredentials,
  },
  {
    id: 'credentials_missing',
    codes: ['AWAITING_CREDENTIALS'],
    title: (end) => `The credentials of ${nameOf(end)} have not been entered.`,
    call: enterCredentials,
  },
  {
    id: 'rate_limit',
    codes: ['RATE_LIMITED'],
    end: 'source',
    title: (end) => `The API behind ${nameOf(end)} asks to slow down.`,
    call: ({ failure, facts, end }) =>
      facts.sync?.finished ? syncAgain({ failure, facts, end }) : follow({ failure, facts, end }),
  },
  {
    id: 'cursor_gone',
    codes: ['SCHEMA_CHANGED'],
    applies: ({ error }) => /key or cursor column/.test(error.message),
    end: 'source',
    title: () => 'The column by which a stream is read or merged is gone from the source.',
    next: 'Choose another cursor or key from what the stream has now, then set it with update_connection.',
    call: lookAtSource,
  },
  {
    id: 'cursor_gone',
    codes: ['CURSOR_MISSING', 'PRIMARY_KEY_MISSING'],
    end: 'source',
    title: () => 'The column by which a stream is read or merged is gone from the source.',
    next: 'Choose another cursor or key from what the stream has now, then set it with update_connection.',
    call: lookAtSource,
  },
  {
    id: 'state_unusable',
    codes: ['STATE_INVALID'],
    end: 'source',
    title: () => 'The saved position of a stream cannot be used any more.',
    call: reset,
  },
  {
    id: 'schema_change',
    codes: ['SCHEMA_CHANGED'],
    applies: ({ error }) => /cannot hold|one primary key/.test(error.message),
    end: 'destination',
    title: () => 'A column changed in the source, and the table that is there cannot hold it.',
    next: 'A reset makes the next sync read the stream anew into a table of the new shape; ask the person first.',
    call: reset,
  },
  {
    id: 'schema_change',
    codes: ['SCHEMA_CHANGED'],
    applies: ({ error }) => /another column under a known name/.test(error.message),
    end: 'source',
    title: () => 'A column of the source is another one than before, under the same name.',
    next: 'A reset makes the next sync read the stream anew, with what the column has now; ask the person first.',
    call: reset,
  },
  {
    id: 'schema_change',
    codes: ['COLUMNS_CHANGED'],
    end: 'source',
    title: () => 'The columns of a table changed while the sync ran.',
    next: 'Nothing is to be decided yet: the next sync plans with the columns as they are now.',
    call: syncAgain,
  },
  {
    id: 'schema_change',
    codes: ['SCHEMA_CHANGED', 'TYPE_UNSUPPORTED', 'MODE_UNSUPPORTED'],
    end: 'source',
    title: () => 'The columns of a stream are no longer what the connection expects.',
    call: lookAtSource,
  },
  {
    id: 'stream_gone',
    codes: ['STREAM_NOT_FOUND'],
    end: 'source',
    title: () => 'A stream is gone from the source, or no longer visible to its user.',
    next: 'See what is there, then set the streams with update_connection.',
    call: lookAtStreams,
  },
  {
    id: 'missing_permission',
    codes: ['PERMISSION_DENIED'],
    title: (end) => `The user of ${nameOf(end)} lacks a right.`,
    call: checkEnd,
  },
  {
    id: 'destination_read_only',
    codes: ['DESTINATION_READ_ONLY'],
    end: 'destination',
    title: (end) => `${nameOf(end)} takes no writes.`,
    call: checkEnd,
  },
  {
    id: 'dead_host',
    codes: ['HOST_UNREACHABLE', 'CONNECTION_LOST', 'TIMEOUT', 'EGRESS_REFUSED', 'TLS_FAILED'],
    title: (end) => `The host of ${nameOf(end)} could not be reached, or broke off.`,
    call: checkEnd,
  },
  {
    id: 'slot_lost',
    codes: ['CDC_POSITION_LOST'],
    end: 'source',
    title: () => 'The changes after the saved position are gone from the log of the source.',
    next: 'Changes in between cannot be had any more: only reading the streams anew closes the gap. Ask the person first.',
    call: resetAndRemove,
  },
  {
    id: 'slot_in_use',
    codes: ['CDC_SLOT_IN_USE'],
    end: 'source',
    title: () => 'Somebody else reads the replication slot.',
    call: checkEnd,
  },
  {
    id: 'capture_not_set_up',
    codes: ['CDC_SETUP_REQUIRED', 'CDC_TABLE_UNSUITABLE'],
    end: 'source',
    title: () => 'The database is not set up so that its changes can be captured.',
    call: checkEnd,
  },
  {
    id: 'destination_full',
    codes: ['DESTINATION_FULL'],
    end: 'destination',
    title: (end) => `${nameOf(end)} has no room left.`,
    next: 'Free or add space there, then sync: it goes on where it stopped.',
    call: syncAgain,
  },
  {
    id: 'zero_rows',
    codes: ['EMPTY_OVERWRITE_HELD'],
    end: 'source',
    title: () =>
      'The source had no rows, and replacing those of the destination by nothing was held.',
    next: 'Look whether the source is really empty; only if the person says so, accept_empty_overwrite.',
    call: previewFailed,
  },
  {
    id: 'rejected_rows',
    codes: ['REJECTS_OVER_THRESHOLD', 'VALUE_REJECTED'],
    end: 'destination',
    title: () => 'More rows do not fit the destination than the connection allows.',
    call: readLog,
  },
  {
    id: 'table_taken',
    codes: ['TABLE_TAKEN'],
    end: 'destination',
    title: () => 'The target table belongs to something else.',
    next: 'Give the connection a namespace or a prefix of its own with update_connection.',
    call: readLog,
  },
  {
    id: 'paused',
    codes: ['CONNECTION_PAUSED'],
    title: () => 'The connection is paused.',
    call: resume,
  },
  {
    id: 'misconfigured',
    codes: ['SOURCE_MISCONFIGURED', 'VALIDATION_FAILED'],
    title: (end) => `The config of ${nameOf(end)} is not right.`,
    call: checkEnd,
  },
  {
    id: 'upstream_error',
    codes: ['UPSTREAM_ERROR', 'REQUEST_REFUSED', 'JOB_FAILED'],
    title: (end) => `The system behind ${nameOf(end)} failed by itself.`,
    call: checkEnd,
  },
  {
    id: 'cancelled',
    codes: ['CANCELLED'],
    title: () => 'Somebody cancelled the sync.',
    next: 'Nothing is lost: the next sync goes on from there.',
    call: syncAgain,
  },
]

/** What no row of the table knows: a fault of ours, or of a connector. */
export const UNKNOWN: Cause = {
  id: 'unknown',
  codes: [],
  title: () => 'The sync failed for a reason that has no name yet.',
  call: readLog,
}
