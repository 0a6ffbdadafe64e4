import type pg from 'pg'
import type { StreamState } from '../../../src/protocol/index.ts'
import type { CursorBound, Position } from './state.ts'

/**
 * Whose transaction numbers a bound has: the cluster (`system_identifier`) and its timeline, which
 * changes with a promotion and a restore from a backup: numbers that were given before may be given
 * again. Undefined where the user may not know (the functions can be called by all by default).
 */
export async function serverOf(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ server: string }>(SERVER_SQL).catch((error) => {
    if (isRefusal(error)) return { rows: [] }
    throw error
  })
  return rows[0]?.server
}

/** A checkpoint comes some time after a promotion, which is at the end of what was recovered at once. */
const SERVER_SQL = `SELECT concat_ws('/', s.system_identifier,
  greatest(c.timeline_id, r.min_recovery_end_timeline)) AS server
FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c,
  pg_catalog.pg_control_recovery() r`

/**
 * No right, no such function, or however a platform says that it has none: the session goes on, and
 * nobody cancelled it or ran short of something.
 */
const isRefusal = ({ severity, code = '' }: { severity?: string; code?: string }) =>
  severity === 'ERROR' && !/^5[37]/.test(code)

/** Whether both are of one cluster, on whatever timeline, as far as is known. */
export const isSameCluster = (a: string | undefined, b: string | undefined): boolean =>
  !a || !b || a.split('/')[0] === b.split('/')[0]

/** Which server is asked, and how far its transactions are. */
interface Now {
  server: string | undefined
  /** The first transaction number that it has yet to give. */
  next: bigint
  /** It is a replica. */
  replays: boolean
}

async function nowOf(client: pg.Client): Promise<Now> {
  const server = await serverOf(client)
  const { rows } = await client.query<{ next: string; replays: string }>(
    'SELECT txid_snapshot_xmax(txid_current_snapshot()) AS next, pg_is_in_recovery() AS replays',
  )
  return { server, next: BigInt(rows[0]?.next ?? 0), replays: rows[0]?.replays === 't' }
}

const horizonOf = ({ horizon, nullRows }: Partial<CursorBound>) => horizon ?? nullRows?.horizon

/**
 * Whether the transaction numbers of a saved bound say anything of this server's rows: they are its own
 * and it has given them already. A replica that lags behind the one that was read before gives them yet.
 */
function areOwn(saved: Partial<CursorBound>, { server, next, replays }: Now): boolean {
  const horizon = horizonOf(saved)
  if (saved.server && server && saved.server !== server) return false
  if (horizon === undefined) return true
  const mayLag = replays && server !== undefined && saved.server === server
  return mayLag || BigInt(horizon) <= next
}

/**
 * The saved state of a cursor, without a transaction that counts as done if its numbers are of another
 * server: rows within the lookback of its cursor, and those without a value, come again then.
 */
export async function onThisServer(
  client: pg.Client,
  saved: StreamState | undefined,
  warn: () => void,
): Promise<StreamState | undefined> {
  const state = saved as (Partial<CursorBound> & { window?: Window }) | undefined
  if (!state) return saved
  const { window } = state
  const tells = (bound: Partial<CursorBound> = {}) => bound.server || horizonOf(bound) !== undefined
  if (!tells(state) && !tells(window?.upper)) return saved
  const now = await nowOf(client)
  const isOwn = areOwn(state, now)
  const isWindowOwn = !window || areOwn(window.upper, now)
  if (isOwn && isWindowOwn) return saved
  warn()
  return {
    ...(isOwn ? state : withNoneDone(state)),
    ...(window && !isWindowOwn ? { window: withNothingOwn(window) } : {}),
  } as StreamState
}

interface Window {
  upper: CursorBound
  position?: Position
}

/** Row addresses are of the server too, and its files may have the same numbers by chance. */
const withNothingOwn = ({ upper, position }: Window): Window => ({
  upper: withNoneDone(upper),
  ...(position
    ? { position: { ...position, ...(position.filenode ? { filenode: '' } : {}) } }
    : {}),
})

const NONE_DONE = { horizon: '0', seen: [] }

const withNoneDone = <B extends Partial<CursorBound>>(bound: B): B => ({
  ...bound,
  ...(bound.horizon === undefined ? {} : NONE_DONE),
  ...(bound.nullRows ? { nullRows: NONE_DONE } : {}),
})
