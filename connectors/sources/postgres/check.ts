import type pg from 'pg'
import { checkPublication, checkServer, checkSlot } from '../../../src/cdc/postgres/index.ts'
import { AirbyteError, type JsonObject, toAirbyteError } from '../../../src/protocol/index.ts'
import type { CheckResult, ConnectorContext } from '../../../src/runtime/contract.ts'
import { closePostgres } from '../../../src/runtime/postgres/client.ts'
import { mapPostgresError } from '../../../src/runtime/postgres/errors.ts'
import { cdcOf, readerName } from './cdc/config.ts'
import { parseConfig, type SourceConfig } from './config.ts'
import { connectSource } from './session.ts'
import { quote } from './sql.ts'

/** Connects and looks whether there is something to read; what is wrong names its field. */
export async function check(ctx: ConnectorContext, config: JsonObject): Promise<CheckResult> {
  try {
    const parsed = parseConfig(config)
    const client = await connectSource(ctx, parsed)
    try {
      await checkSchemas(client, parsed)
      await checkLog(client, parsed)
    } catch (error) {
      throw mapPostgresError(error, parsed)
    } finally {
      await closePostgres(client)
    }
    return { ok: true }
  } catch (error) {
    return { ok: false, problem: toAirbyteError(error).toJSON() }
  }
}

/** Server and rights for following the log, if it is to be followed. Makes nothing. */
async function checkLog(client: pg.Client, config: SourceConfig) {
  const cdc = cdcOf(config)
  if (!cdc) return
  const { replication_slot: slot, publication } = cdc
  await checkServer(client)
  await checkSlot(client, slot, readerName(slot ?? ''))
  await checkPublication(client, publication)
}

async function checkSchemas(client: pg.Client, { schemas, username }: SourceConfig) {
  for (const schema of schemas) {
    const { rows } = await client.query<{ usable: string; tables: string; readable: string }>(
      `SELECT has_schema_privilege(n.oid, 'USAGE') AS usable, count(c.oid) AS tables,
         count(c.oid) FILTER (WHERE has_any_column_privilege(c.oid, 'SELECT')) AS readable
       FROM pg_catalog.pg_namespace n
       LEFT JOIN pg_catalog.pg_class c
         ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       WHERE n.nspname = $1 GROUP BY n.oid`,
      [schema],
    )
    const [found] = rows
    if (!found) {
      throw new AirbyteError('VALIDATION_FAILED', `The database has no schema '${schema}'.`, {
        field: 'config.schemas',
      })
    }
    if (found.usable === 't' && (found.tables === '0' || found.readable !== '0')) continue
    const right =
      found.usable === 't'
        ? `SELECT ON ALL TABLES IN SCHEMA ${quote(schema)}`
        : `USAGE ON SCHEMA ${quote(schema)}`
    throw new AirbyteError('PERMISSION_DENIED', `${username} may not read schema '${schema}'.`, {
      field: 'config.schemas',
      hint: `Run GRANT ${right} TO ${quote(username)}; as the owner.`,
    })
  }
}
