import pg from 'pg'
import { inject } from 'vitest'
import { createNodeContext } from '../../../src/egress/node-context.ts'
import type { JsonObject } from '../../../src/protocol/index.ts'
import type { DestinationSetup } from '../destination-suite.ts'

/** A database of its own on the shared server. */
export async function postgresDestinationSetup(): Promise<DestinationSetup> {
  const url = new URL(inject('pgUrl'))
  const database = `conformance_destination_${process.pid}`
  const admin = new pg.Client(url.href)
  await admin.connect()
  await admin.query(`CREATE DATABASE ${database}`)
  const config: JsonObject = {
    host: url.hostname,
    port: Number(url.port),
    database,
    schema: 'public',
    username: url.username,
    password: url.password,
    ssl_mode: { mode: 'disable' },
  }
  return {
    config,
    ctx: () => createNodeContext(),
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
        codes: ['VALIDATION_FAILED', 'NOT_FOUND', 'AUTH_FAILED', 'PERMISSION_DENIED'],
      },
      { title: 'TLS', config: { ...config, ssl_mode: { mode: 'require' } }, codes: ['TLS_FAILED'] },
    ],
    async dispose() {
      await admin.query(`DROP DATABASE ${database} WITH (FORCE)`)
      await admin.end()
    },
  }
}
