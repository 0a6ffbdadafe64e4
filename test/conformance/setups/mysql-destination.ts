import type { JsonObject } from '../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { connectMysql } from '../../../src/runtime/mysql/client.ts'
import { runMysql } from '../../support/mysql-statement.ts'
import { serverFields } from '../../support/server-fields.ts'
import type { DestinationSetup } from '../destination-suite.ts'

/** A database of its own on the shared server. */
export async function mysqlDestinationSetup(
  url: URL,
  database: string,
  ctx: (signal?: AbortSignal) => ConnectorContext,
): Promise<DestinationSetup> {
  const server = { ...serverFields(url), ssl_mode: { mode: 'disabled' as const } }
  const admin = await connectMysql(ctx(), server)
  await runMysql(admin, `CREATE OR REPLACE DATABASE ${database}`)
  const config: JsonObject = { ...server, database }
  return {
    config,
    ctx: () => ctx(),
    badConfigs: [
      {
        title: 'password',
        config: { ...config, password: 'wr0ng-canary' },
        codes: ['AUTH_FAILED'],
      },
      { title: 'port', config: { ...config, port: 1 }, codes: ['HOST_UNREACHABLE'] },
      {
        title: 'database',
        config: { ...config, database: 'no such' },
        codes: ['VALIDATION_FAILED', 'PERMISSION_DENIED'],
      },
      {
        title: 'TLS',
        config: { ...config, ssl_mode: { mode: 'verify_identity' } },
        codes: ['TLS_FAILED'],
      },
    ],
    async dispose() {
      await admin.execute(`DROP DATABASE ${database}`)
      await admin.close()
    },
  }
}
