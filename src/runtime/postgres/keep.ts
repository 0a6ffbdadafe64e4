/** Sessions that are used by one task after the other. */
import type pg from 'pg'
import type { ConnectorSocket } from '../contract.ts'
import type { KeptConnections } from '../kept-connections.ts'

/** What makes a session as it was when it began, but for its settings, which follow. */
const CLEAN = ['RESET ALL', 'DISCARD TEMP', 'SELECT pg_advisory_unlock_all()']

/** How to leave a session instead of ending it. */
const LEAVE = new WeakMap<pg.Client, () => boolean>()

export interface KeptSession {
  kept: KeptConnections
  /** Of sessions that may stand for each other. */
  key: string
  /** Statements that set it up. */
  settings: string[]
  end(client: pg.Client): Promise<void>
}

export function keep(client: pg.Client, { kept, key, settings, end }: KeptSession): void {
  LEAVE.set(
    client,
    () => isIdle(client) && kept.leave(key, { client, settings }, () => end(client)),
  )
}

/** False: it is to be ended, for there is no place for it, or it is in the middle of something. */
export const leave = (client: pg.Client): boolean => LEAVE.get(client)?.() ?? false

/** A session that was left, as new; undefined if there is none that still answers. */
export async function takeKept(kept: KeptConnections, key: string): Promise<pg.Client | undefined> {
  for (;;) {
    const found = kept.take<{ client: pg.Client; settings: string[] }>(key)
    if (!found) return undefined
    const { client, settings } = found
    try {
      if (!isIdle(client)) continue
      await client.query([...CLEAN, ...settings].join('; '))
      return client
    } catch {
      socketOf(client).destroy()
    }
  }
}

export const socketOf = (client: pg.Client): ConnectorSocket =>
  (client.connection as unknown as { stream: ConnectorSocket }).stream

function isIdle(client: pg.Client): boolean {
  const { readyForQuery } = client as unknown as { readyForQuery?: boolean }
  return (
    !socketOf(client).destroyed && readyForQuery === true && client.getTransactionStatus() === 'I'
  )
}
