import type { Destination } from '../../../src/runtime/contract.ts'
import { checked } from '../../../src/runtime/loading/session.ts'
import { probe } from './check.ts'
import { parseConfig } from './config.ts'
import { layoutOf } from './layout.ts'
import { createLoader } from './loader.ts'
import { rehearse } from './rehearse.ts'
import { openSession, Sessions } from './session.ts'
import { SPEC } from './spec.ts'

/**
 * PostgreSQL 13 or newer. Rows, ledger entry and fence check commit in one transaction, so every
 * mode loads each chunk exactly once.
 */
const postgres: Destination = {
  info: {
    name: 'postgres',
    title: 'Postgres',
    definitionId: '25c5221d-dce2-4163-ade9-739ef790f503',
    version: '0.1.0',
    evidence: 'server',
    documentationUrl: 'https://docs.airbyte.com/integrations/destinations/postgres',
  },
  capabilities: {
    modes: ['append', 'overwrite', 'append_dedup', 'overwrite_dedup'],
    formats: ['pg-copy-text'],
    dialect: 'postgres',
    ledger: true,
    transfer: 'direct',
    verify: ['count', 'hash'],
    namespaces: true,
    keepsUnchanged: true,
    overlaps: true,
    children: true,
    limits: {
      integerBits: 64,
      textBytes: 1_000_000_000,
      nulInText: false,
      nonFinite: true,
      years: [-4713, 294_276],
      native: 'postgres',
    },
  },
  spec: () => SPEC,

  check: (ctx, config) =>
    checked(() => {
      const { schema, ...connection } = parseConfig(config)
      return { session: openSession(ctx, connection), look: (client) => probe(client, schema) }
    }),

  async rehearse(ctx, config, plan) {
    const { schema, softDelete, ...connection } = parseConfig(config)
    const layout = layoutOf(plan, { schema, softDelete })
    const session = openSession(ctx, connection, layout.stream)
    try {
      return await session.run((client) => rehearse(client, layout))
    } finally {
      await session.close()
    }
  },

  async open(ctx, config, plan) {
    const { schema, softDelete, ...connection } = parseConfig(config)
    const layout = layoutOf(plan, { schema, softDelete })
    const sessions = new Sessions(() => openSession(ctx, connection, layout.stream))
    await sessions.first.run(async () => {})
    return createLoader(ctx, sessions, layout)
  },
}

export default postgres
