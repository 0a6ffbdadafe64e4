import type { JsonValue } from '../protocol/index.ts'
import { CallLeases } from '../runtime/call-leases.ts'
import { callWindow } from '../runtime/call-window.ts'

export const CALL_TABLE = `create table calls (
  key text primary key, window text not null, until integer not null)`

/** What a run that died had taken is missing for so long. */
const LONGEST_LEASE_MS = 5_000

/** The calls that a source may make at its API, counted in its object's rows. */
export const callLeases = (sql: SqlStorage, now = () => Date.now()): CallLeases =>
  new CallLeases(
    {
      use(key, rates, change) {
        // A budget that is not asked for any more, as of an older manifest, leaves nothing behind.
        sql.exec('delete from calls where until < ?', now())
        const [row] = sql.exec('select window from calls where key = ?', key).toArray()
        const window = callWindow(rates, row && (JSON.parse(String(row.window)) as JsonValue))
        const result = change(window)
        const kept = [key, JSON.stringify(window.save()), Math.ceil(window.emptyAt())]
        sql.exec('insert or replace into calls (key, window, until) values (?, ?, ?)', ...kept)
        return result
      },
    },
    now,
    LONGEST_LEASE_MS,
  )
