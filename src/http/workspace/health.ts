import type { rowView } from '../../operations/views.ts'

export type ConnectionRow = ReturnType<typeof rowView>
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle'

export interface Health {
  tone: Tone
  label: string
  /** What happened, where somebody has to look. */
  problem?: string
}

type Judged = Pick<ConnectionRow, 'status' | 'pausedReason' | 'lastSync' | 'freshness'>

/** How a connection does, the worst first. */
export function healthOf({ status, pausedReason, lastSync, freshness }: Judged): Health {
  if (status === 'paused') {
    return pausedReason
      ? { tone: 'bad', label: 'Paused', problem: pausedReason.message }
      : { tone: 'idle', label: 'Paused' }
  }
  switch (lastSync?.status) {
    case undefined:
      return freshness?.late
        ? { tone: 'warn', label: 'Late', problem: 'It has never been synced.' }
        : { tone: 'idle', label: 'Not synced yet' }
    case 'pending':
    case 'running':
      return { tone: 'busy', label: 'Syncing' }
    case 'failed':
    case 'incomplete': {
      const label = lastSync.status === 'failed' ? 'Failed' : 'Incomplete'
      return { tone: 'bad', label, problem: lastSync.error?.message ?? 'The latest sync failed.' }
    }
    case 'cancelled':
      return { tone: freshness?.late ? 'warn' : 'idle', label: 'Cancelled' }
    case 'succeeded':
      if (freshness?.late) {
        return { tone: 'warn', label: 'Late', problem: 'Its rows are older than its target.' }
      }
      if (lastSync.log && isTight(lastSync.log)) {
        return { tone: 'warn', label: 'Log runs out', problem: 'Its database may drop log soon.' }
      }
      return { tone: 'good', label: freshness?.targetSeconds ? 'On time' : 'Up to date' }
  }
}

/** The database would lose log sooner than the connection has to catch up by. */
export const isTight = ({ retainedBytes, safeBytes }: LogSpace) =>
  safeBytes !== undefined && safeBytes < retainedBytes
interface LogSpace {
  retainedBytes: number
  safeBytes?: number
}

const RANK: Record<Tone, number> = { bad: 0, warn: 1, busy: 2, good: 3, idle: 4 }

/** Those that need somebody first, then by name. */
export function byUrgency<T extends Judged & { name: string }>(rows: readonly T[]): T[] {
  const rank = (row: T) => RANK[healthOf(row).tone]
  return rows.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
}

const SYNC_TONES: Record<string, Tone> = {
  succeeded: 'good',
  running: 'busy',
  pending: 'busy',
  failed: 'bad',
  incomplete: 'bad',
  cancelled: 'idle',
}
export const syncTone = (status: string): Tone => SYNC_TONES[status] ?? 'idle'
