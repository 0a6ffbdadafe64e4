import type pg from 'pg'
import { AirbyteError } from '../../protocol/index.ts'
import { type CdcPosition, type Lsn, parseLsn, printLsn } from './position.ts'
import { mapReplicationError } from './protocol/errors.ts'

/** A logical slot as `pg_replication_slots` shows it. */
export interface SlotStatus {
  name: string
  plugin: string
  database: string
  /** The log before it may be gone. */
  restart?: Lsn
  /** What its reader acknowledged. */
  confirmed?: Lsn
  /** `unreserved`: the next checkpoint may take log that is still needed. `lost`: it did. */
  walStatus: 'reserved' | 'extended' | 'unreserved' | 'lost'
  /** Why the server gave the slot up, where it says so. */
  invalidation?: string
  /** Bytes of log that the server keeps for this slot. */
  retainedBytes: number
  /** Bytes that may be written until log is lost; absent without `max_slot_wal_keep_size`. */
  safeBytes?: number
  /** Who reads it now. The name is empty where this user may not see it. */
  reader?: { pid: number; applicationName: string }
}

/** The slot, or undefined. Rejects with pg's own errors. */
export async function readSlot(client: pg.Client, name: string): Promise<SlotStatus | undefined> {
  const { rows } = await client.query<SlotRow>(SLOT_SQL, [name])
  const [row] = rows
  if (!row) return undefined
  return {
    name,
    plugin: row.plugin ?? '',
    database: row.database ?? '',
    walStatus: (row.wal_status ?? 'lost') as SlotStatus['walStatus'],
    retainedBytes: Number(row.retained ?? 0),
    ...(row.restart_lsn ? { restart: parseLsn(row.restart_lsn) } : {}),
    ...(row.confirmed ? { confirmed: parseLsn(row.confirmed) } : {}),
    ...(row.invalidation ? { invalidation: row.invalidation } : {}),
    ...(row.safe_wal_size ? { safeBytes: Number(row.safe_wal_size) } : {}),
    ...(row.pid ? { reader: { pid: Number(row.pid), applicationName: row.reader ?? '' } } : {}),
  }
}

/**
 * Creates the slot, or adopts one of this name that nobody has used for anything else. Returns the
 * position from which it gives every change; a slot that exists is returned as it stands.
 *
 * Rejects with CDC_SETUP_REQUIRED (a right, `max_replication_slots`, another kind of slot by this
 * name), CDC_POSITION_LOST (a lost slot), or TIMEOUT while older transactions stay open: the server
 * waits for them first.
 */
export async function ensureSlot(
  client: pg.Client,
  name: string,
): Promise<{ position: CdcPosition; created: boolean }> {
  const existing = await readSlot(client, name)
  if (existing) return { position: { confirmed: await adopt(client, existing) }, created: false }
  try {
    const { rows } = await client.query<{ lsn: string }>(
      `SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput')`,
      [name],
    )
    return { position: { confirmed: parseLsn((rows[0] as { lsn: string }).lsn) }, created: true }
  } catch (error) {
    if ((error as { code?: string }).code === '55P03') throw await waitsForOthers(client, name)
    throw mapReplicationError(error, { slot: name })
  }
}

/**
 * Whether the slot can be read by us or, if there is none of this name, made. Changes nothing. Without a
 * name: whether there is room for one, or one of ours already.
 * Rejects as `ensureSlot` does.
 */
export async function checkSlot(
  client: pg.Client,
  name: string | undefined,
  applicationName: string,
): Promise<void> {
  const existing = name === undefined ? undefined : await readSlot(client, name)
  if (existing) {
    const { reader, ...slot } = existing
    const ours = reader?.applicationName === applicationName
    await adopt(client, ours || !reader ? slot : existing)
    return
  }
  const { rows } = await client.query<{ room: string }>(ROOM_SQL)
  if (rows[0]?.room === 't') return
  throw new AirbyteError('CDC_SETUP_REQUIRED', 'All replication slots of the server are taken.', {
    field: 'config.replication_method.replication_slot',
    hint: 'Raise max_replication_slots at the server and restart it, or drop a slot that nobody reads (pg_replication_slots).',
  })
}

/**
 * Makes sure that reading from `position` misses nothing. Rejects with CDC_POSITION_LOST if the slot is
 * gone, lost, was made anew or read by someone else, or if the server's log ends before the position
 * (a restored backup); given what our readers are called, with CDC_SLOT_IN_USE while it has another.
 */
export async function guardSlot(
  client: pg.Client,
  name: string,
  position: CdcPosition,
  applicationName?: string,
): Promise<SlotStatus> {
  const slot = await readSlot(client, name)
  if (!slot) throw lost(`The slot '${name}' is gone.`, 'It was dropped at the server.')
  refuseLost(slot)
  const { reader } = slot
  if (applicationName !== undefined && reader && reader.applicationName !== applicationName) {
    throw inUse(name, reader)
  }
  // We acknowledge only what we hold, so a slot of ours is never ahead of us.
  if (slot.confirmed !== undefined && slot.confirmed > position.confirmed) {
    throw lost(
      `The slot '${name}' is at ${printLsn(slot.confirmed)}, beyond what was read (${printLsn(position.confirmed)}).`,
      'It was dropped and made anew, or someone else read from it.',
    )
  }
  const { rows } = await client.query<{ lsn: string }>(END_SQL)
  const end = parseLsn((rows[0] as { lsn: string }).lsn)
  if (end < position.confirmed) {
    throw lost(
      `The server's log ends at ${printLsn(end)}, before what was read already (${printLsn(position.confirmed)}).`,
      'The server is another one, or was restored from a backup.',
    )
  }
  return slot
}

/**
 * Waits until nobody reads the slot. A walsender by our own `applicationName` is what a lost connection
 * left behind: it is waited for, and ended after `patienceMs`. Anyone else: CDC_SLOT_IN_USE.
 */
export async function takeOverSlot(
  client: pg.Client,
  name: string,
  { applicationName, patienceMs = 5000 }: { applicationName: string; patienceMs?: number },
): Promise<void> {
  const endAt = Date.now() + patienceMs
  const giveUpAt = endAt + patienceMs
  for (let ended = false; ; ) {
    const reader = (await readSlot(client, name))?.reader
    if (!reader) return
    if (reader.applicationName !== applicationName || Date.now() > giveUpAt) {
      throw inUse(name, reader)
    }
    if (!ended && Date.now() >= endAt) {
      await client.query('SELECT pg_catalog.pg_terminate_backend($1)', [reader.pid])
      ended = true
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Drops the slot if it is there. Rejects with CDC_SLOT_IN_USE while someone reads it. */
export async function dropSlot(client: pg.Client, name: string): Promise<void> {
  try {
    await client.query(
      'SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = $1',
      [name],
    )
  } catch (error) {
    throw mapReplicationError(error, { slot: name })
  }
}

const POLL_MS = 100

async function adopt(client: pg.Client, slot: SlotStatus): Promise<Lsn> {
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name')
  const [current] = rows
  if (slot.plugin !== 'pgoutput' || slot.database !== current?.name) {
    throw new AirbyteError(
      'CDC_SETUP_REQUIRED',
      `The slot '${slot.name}' is one of ${slot.plugin || 'physical replication'} in database '${slot.database}'.`,
      {
        field: 'config.replication_method.replication_slot',
        hint: 'Name a slot of the plugin pgoutput in this database, or a name that is free: the slot is created then.',
      },
    )
  }
  refuseLost(slot)
  if (slot.reader) throw inUse(slot.name, slot.reader)
  return slot.confirmed as Lsn
}

function refuseLost({ name, walStatus, invalidation, confirmed }: SlotStatus) {
  if (walStatus !== 'lost' && !invalidation && confirmed !== undefined) return
  throw lost(
    `The slot '${name}' lost log that was not read${invalidation ? ` (${invalidation})` : ''}.`,
    'The server removed it, usually because max_slot_wal_keep_size was passed.',
  )
}

const lost = (message: string, why: string) =>
  new AirbyteError('CDC_POSITION_LOST', message, {
    field: 'config.replication_method.replication_slot',
    hint: `${why} Drop what is left of the slot and refresh the streams.`,
  })

const inUse = (name: string, { pid, applicationName }: NonNullable<SlotStatus['reader']>) =>
  new AirbyteError(
    'CDC_SLOT_IN_USE',
    `The slot '${name}' is read by '${applicationName || 'an unknown program'}' (process ${pid}).`,
    {
      field: 'config.replication_method.replication_slot',
      hint: 'Stop that reader, or give this source a slot of its own.',
    },
  )

async function waitsForOthers(client: pg.Client, name: string) {
  const { rows } = await client.query<{ pid: string; since: string }>(
    `SELECT pid, xact_start AS since FROM pg_catalog.pg_stat_activity
     WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1`,
  )
  const [oldest] = rows
  return new AirbyteError(
    'TIMEOUT',
    `The slot '${name}' waits for transactions that are still open${oldest ? `; the oldest, of process ${oldest.pid}, since ${oldest.since}` : ''}.`,
    { hint: 'End the open transactions (prepared ones too); it is tried again.' },
  )
}

interface SlotRow {
  plugin: string | null
  database: string | null
  restart_lsn: string | null
  confirmed: string | null
  wal_status: string | null
  safe_wal_size: string | null
  retained: string | null
  invalidation: string | null
  pid: string | null
  reader: string | null
}

const END_SQL = `SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
  THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END AS lsn`

const ROOM_SQL = `SELECT count(*) < current_setting('max_replication_slots')::int
    OR bool_or(database = current_database() AND starts_with(slot_name, 'airbyte_')) AS room
  FROM pg_catalog.pg_replication_slots`

/** `invalidation_reason` is of version 17; asking the row as JSON works everywhere. */
const SLOT_SQL = `SELECT s.plugin, s.database, s.restart_lsn, s.confirmed_flush_lsn AS confirmed,
  s.wal_status, s.safe_wal_size,
  pg_catalog.pg_wal_lsn_diff((${END_SQL}), s.restart_lsn) AS retained,
  pg_catalog.to_jsonb(s) ->> 'invalidation_reason' AS invalidation,
  s.active_pid AS pid, a.application_name AS reader
FROM pg_catalog.pg_replication_slots s
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid
WHERE s.slot_name = $1`
