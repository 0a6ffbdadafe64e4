import { toAirbyteError } from '../../../src/protocol/index.ts'
import type { Destination } from '../../../src/runtime/contract.ts'
import { dialedFailure, parseConfig } from './config.ts'
import { openLedger } from './ledger.ts'
import { devNullLoader } from './loader.ts'
import { spec } from './spec.ts'

/**
 * Swallows rows and counts them. It keeps the ledger of a real destination (in the workspace's
 * warehouse bucket, so that it outlives the process), with fences, generations and replays; its
 * dials fail, slow down and reject for tests of whatever writes to it. It holds no rows: dedup modes
 * count what arrives.
 */
const devNull: Destination = {
  info: {
    name: 'dev-null',
    title: 'End-to-End Testing (/dev/null)',
    definitionId: 'a7bcc9d8-13b3-4e49-b80d-d020b90045e3',
    version: '1.0.0',
    evidence: 'fixtures',
    documentationUrl: 'https://docs.airbyte.com/integrations/destinations/dev-null',
  },
  capabilities: {
    modes: ['append', 'overwrite', 'append_dedup', 'overwrite_dedup'],
    formats: ['pg-copy-text', 'csv', 'jsonl', 'parquet'],
    ledger: true,
    transfer: 'direct',
    verify: [],
    namespaces: true,
    limits: { nulInText: true, nonFinite: true, years: [-4713, 294_276] },
  },
  spec,
  async check(_ctx, config) {
    try {
      const { failAt } = parseConfig(config)
      if (failAt?.when === 'check') throw dialedFailure(failAt, 'check')
      return { ok: true }
    } catch (error) {
      return { ok: false, problem: toAirbyteError(error).toJSON() }
    }
  },
  async open(ctx, config, plan) {
    return devNullLoader(ctx, parseConfig(config), plan, openLedger(ctx.warehouse, plan))
  },
}

export default devNull
