import { type JsonObject, streamKey } from '../../../src/protocol/index.ts'
import type { ConnectorContext, Destination, StreamPlan } from '../../../src/runtime/contract.ts'
import { checked } from '../../../src/runtime/loading/session.ts'
import { probe } from './check.ts'
import { parseConfig } from './config.ts'
import { layoutOf } from './layout.ts'
import { createLoader } from './loader.ts'
import { rehearse } from './rehearse.ts'
import { serverOf } from './server.ts'
import { openSession } from './session.ts'
import { SPEC } from './spec.ts'
import { DECIMAL } from './types.ts'

/**
 * MySQL 8.0.17 or newer, MariaDB 10.3 or newer. Rows, ledger entry and fence check commit in one
 * transaction, so every mode loads each chunk exactly once.
 */
const mysql: Destination = {
  info: {
    name: 'mysql',
    title: 'MySQL',
    definitionId: 'ca81ee7c-3163-4246-af40-094cc31e5e42',
    version: '0.1.0',
    evidence: 'server',
    documentationUrl: SPEC.documentationUrl,
  },
  capabilities: {
    modes: ['append', 'overwrite', 'append_dedup', 'overwrite_dedup'],
    formats: [],
    dialect: 'mysql',
    ledger: true,
    keepsUnchanged: true,
    transfer: 'direct',
    verify: ['count', 'hash'],
    namespaces: true,
    limits: {
      integerBits: 64,
      // What a statement can hold besides is the server's to say: see `TooLong`.
      textBytes: 64 << 20,
      nulInText: true,
      nonFinite: false,
      years: [1, 9999],
      decimal: DECIMAL,
      native: 'mysql',
    },
  },
  spec: () => SPEC,

  check: (ctx, config) =>
    checked(() => {
      const { schema, username, ...connection } = parseConfig(config)
      return {
        session: openSession(ctx, { username, ...connection }),
        look: (client) => probe(client, schema, username),
      }
    }),

  async rehearse(ctx, config, plan) {
    const { session, layout } = await opened(ctx, config, plan)
    try {
      return await session.run((client) => rehearse(client, layout))
    } finally {
      await session.close()
    }
  },

  async open(ctx, config, plan) {
    const { session, layout } = await opened(ctx, config, plan)
    return createLoader(ctx, session, layout)
  },
}

export default mysql

async function opened(ctx: ConnectorContext, config: JsonObject, plan: StreamPlan) {
  const { schema, softDelete, ...connection } = parseConfig(config)
  const session = openSession(ctx, connection, streamKey(plan.stream))
  try {
    const server = await session.run(serverOf)
    return { session, layout: layoutOf(plan, { schema, softDelete }, server) }
  } catch (error) {
    await session.close()
    throw error
  }
}
