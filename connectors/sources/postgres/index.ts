import { AirbyteError } from '../../../src/protocol/index.ts'
import type { Source } from '../../../src/runtime/contract.ts'
import { unchangedFollowed } from '../../../src/runtime/database/unchanged-followed.ts'
import { closePostgres } from '../../../src/runtime/postgres/client.ts'
import { mapPostgresError } from '../../../src/runtime/postgres/errors.ts'
import { hasPassed } from './cdc/freeze.ts'
import { postgresLog } from './cdc/log.ts'
import { check } from './check.ts'
import { parseConfig } from './config.ts'
import { streamOf } from './discover.ts'
import { freeze, read } from './read.ts'
import { findRelation } from './reader.ts'
import { listRelations } from './relations.ts'
import { connectSource } from './session.ts'
import { SPEC } from './spec.ts'

/**
 * PostgreSQL, read with COPY. Full refreshes walk the primary key (without one: the pages of the
 * table); they are not one snapshot, a row changed meanwhile is read as it is when its turn comes.
 * Incremental streams follow a cursor column and see neither deletes nor updates that leave it as it was;
 * with method CDC they follow the log, and see everything.
 */
const postgres: Source = {
  info: {
    name: 'postgres',
    title: 'Postgres',
    definitionId: 'decd338e-5647-4c0b-adf4-da0e75f5a750',
    version: '1.0.0',
    evidence: 'server',
    documentationUrl: SPEC.documentationUrl,
  },
  capabilities: { formats: ['pg-copy-text'], dialect: 'postgres', rereadable: true, ranges: true },
  spec: () => SPEC,
  check,
  async discover(ctx, config) {
    const parsed = parseConfig(config)
    const client = await connectSource(ctx, parsed)
    try {
      const relations = await listRelations(client, parsed.schemas)
      return { streams: relations.map((relation) => streamOf(relation, parsed)) }
    } catch (error) {
      throw mapPostgresError(error, parsed)
    } finally {
      await closePostgres(client)
    }
  },
  async whyMissing(ctx, config, stream) {
    const parsed = parseConfig(config)
    const client = await connectSource(ctx, parsed)
    try {
      await findRelation(client, parsed, stream)
      return new AirbyteError('CONFLICT', 'The table appeared while the sync was planned.').toJSON()
    } catch (error) {
      return mapPostgresError(error, parsed).toJSON()
    } finally {
      await closePostgres(client)
    }
  },
  log: postgresLog,
  freeze: async (ctx, config, streams, state) => freeze(ctx, parseConfig(config), streams, state),
  unchanged: (ctx, _config, streams, state) => unchangedFollowed(ctx, streams, state, hasPassed),
  read: (ctx, config, streams, state) => read(ctx, parseConfig(config), streams, state),
}

export default postgres
