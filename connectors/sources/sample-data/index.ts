import type { Source } from '../../../src/runtime/contract.ts'
import { parseConfig } from './config.ts'
import { check, discover, freeze } from './discover.ts'
import { read } from './read.ts'
import { spec } from './spec.ts'

/**
 * Made-up users, products and purchases, and one stream with every Airbyte type. The same seed
 * gives the same rows for ever: row `i` is a pure function of seed and `i`, so a read resumes at any
 * row. Its dials (fail, stall, repeat …) are for tests of whatever reads it.
 */
const sampleData: Source = {
  info: {
    name: 'sample-data',
    title: 'Sample Data',
    definitionId: 'dfd88b22-b603-4c3d-aad7-3701784586b1',
    version: '1.0.0',
    evidence: 'fixtures',
    documentationUrl: 'https://docs.airbyte.com/integrations/sources/faker',
  },
  capabilities: { formats: [], rereadable: true, ranges: true },
  spec,
  check: async (_ctx, config) => check(config),
  discover: async (_ctx, config) => discover(parseConfig(config)),
  freeze: async (_ctx, config, streams) => freeze(parseConfig(config), streams),
  read: (ctx, config, streams, state) => read(ctx, parseConfig(config), streams, state),
}

export default sampleData
