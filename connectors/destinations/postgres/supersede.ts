/**
 * Ending loaders that were superseded. The fence already keeps them from committing; but one that
 * hangs in the middle of a COPY holds locks that a swap or an ALTER TABLE would wait for.
 */
import type pg from 'pg'
import type { Layout } from '../../../src/runtime/loading/layout.ts'
import { shortHash } from '../../../src/runtime/loading/names.ts'

const nameOf = ({ plan, stream }: Layout) =>
  `airbyte ${shortHash(JSON.stringify([plan.connectionId, stream]))}`

/** Lets others see in `pg_stat_activity` whose connection this is, and under which fence it works. */
export async function showFence(client: pg.Client, layout: Layout, fence: number): Promise<void> {
  await client.query("SELECT set_config('application_name', $1, false)", [
    `${nameOf(layout)} ${fence}`,
  ])
}

/** Ends this stream's connections under lower fences. Only after the fence was taken. */
export async function endSuperseded(
  client: pg.Client,
  layout: Layout,
  fence: number,
): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM (
       SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
         AND application_name ~ ('^' || $1 || ' [0-9]+$')
         AND CASE WHEN application_name ~ ('^' || $1 || ' [0-9]+$')
             THEN split_part(application_name, ' ', 3)::numeric < $2 END) AS superseded`,
    [nameOf(layout), fence],
  )
}
