import { checkServer } from '../../../src/cdc/mysql/index.ts'
import { toAirbyteError } from '../../../src/protocol/index.ts'
import type { Source } from '../../../src/runtime/contract.ts'
import { catalogStream } from '../../../src/runtime/database/columns.ts'
import { unchangedFollowed } from '../../../src/runtime/database/unchanged-followed.ts'
import { fromLog } from './cdc/columns.ts'
import { cdcOf } from './cdc/config.ts'
import { mysqlLog } from './cdc/log.ts'
import { isPast } from './cdc/read.ts'
import { parseConfig } from './config.ts'
import { freeze, read } from './read.ts'
import { keysetOf } from './reader.ts'
import { withSource } from './session.ts'
import { SPEC } from './spec.ts'
import { listTables } from './tables.ts'

/**
 * MySQL and MariaDB. Full refreshes walk the primary key, which is not one snapshot: a row changed
 * meanwhile is read as it is when its turn comes. Incremental streams follow the binlog, or a cursor
 * column and then see neither deletes nor updates that leave it as it was. Which servers that was proven
 * on is in docs/cdc.md.
 */
const mysql: Source = {
  info: {
    name: 'mysql',
    title: 'MySQL',
    definitionId: '435bb9a5-7887-4809-aa58-28c27df0d7ad',
    version: '1.0.0',
    evidence: 'server',
    documentationUrl: SPEC.documentationUrl,
  },
  capabilities: { formats: [], dialect: 'mysql', rereadable: true, ranges: true },
  spec: () => SPEC,
  async check(ctx, config) {
    try {
      const parsed = parseConfig(config)
      await withSource(ctx, parsed, async (client) => {
        await listTables(client, parsed)
        if (cdcOf(parsed)) await checkServer(client)
      })
      return { ok: true }
    } catch (error) {
      return { ok: false, problem: toAirbyteError(error).toJSON() }
    }
  },
  async discover(ctx, config) {
    const parsed = parseConfig(config)
    const tables = await withSource(ctx, parsed, (client) => listTables(client, parsed))
    const streams = tables.map((table) => {
      const isResumable = keysetOf(table) !== undefined
      const stream = catalogStream(table, isResumable, ({ required }) => !required)
      return cdcOf(parsed) ? fromLog(stream, table) : stream
    })
    return { streams }
  },
  log: mysqlLog,
  freeze: async (ctx, config, streams, state) => freeze(ctx, parseConfig(config), streams, state),
  unchanged: (ctx, _config, streams, state) => unchangedFollowed(ctx, streams, state, isPast),
  read: (ctx, config, streams, state) => read(ctx, parseConfig(config), streams, state),
}

export default mysql
