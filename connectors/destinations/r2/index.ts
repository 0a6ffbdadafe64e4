import { AirbyteError, toAirbyteError } from '../../../src/protocol/index.ts'
import type {
  ConnectorContext,
  Destination,
  ObjectStore,
  ValueLimits,
} from '../../../src/runtime/contract.ts'
import type { FileFormat } from './document.ts'
import { r2Loader } from './loader.ts'
import { rehearse } from './rehearse.ts'
import { parseConfig, SPEC } from './spec.ts'
import { tableReader } from './table-reader.ts'

/** The warehouse that every workspace has: files in its bucket, no account needed. */
const r2: Destination = {
  info: {
    name: 'r2',
    title: 'Built-in warehouse (R2)',
    definitionId: '6f0c1d8e-4b7a-4d53-9a0e-2c5b8e1f7a36',
    version: '1.0.0',
    evidence: 'fixtures',
  },
  capabilities: {
    modes: ['append', 'overwrite', 'append_dedup', 'overwrite_dedup'],
    formats: [],
    // One conditional write commits a chunk's rows and its entry, under a check of the fence.
    ledger: true,
    transfer: 'direct',
    verify: ['count', 'hash'],
    namespaces: true,
    children: true,
    // Its readers find them by key, which is not enough for a row that moved to another.
    keepsUnchanged: 'same key',
    limits: {
      integerBits: 64,
      nulInText: true,
      nonFinite: true,
      infiniteTimes: false,
      years: [1, 9999],
    },
  },
  spec: () => SPEC,
  limits: (config) => LIMITS[parseConfig(config).format],
  place: (config) => `warehouse/${parseConfig(config).pathPrefix ?? ''}`,
  async check(ctx, config) {
    try {
      const { pathPrefix } = parseConfig(config)
      const store = warehouseOf(ctx)
      const key = `${pathPrefix ? `${pathPrefix}/` : ''}_airbyte_check-${ctx.now()}`
      await store.put(key, 'check')
      await store.delete([key])
      return { ok: true }
    } catch (error) {
      return { ok: false, problem: toAirbyteError(error).toJSON() }
    }
  },
  rehearse: async (ctx, config, plan) => rehearse(warehouseOf(ctx), parseConfig(config), plan),
  table: async (ctx, config, target) => tableReader(warehouseOf(ctx), parseConfig(config), target),
  async open(ctx, config, plan) {
    return r2Loader(warehouseOf(ctx), parseConfig(config), plan)
  },
}

/** What a format cannot say: so it is recorded before the rows are hashed. */
const LIMITS: Record<FileFormat, Partial<ValueLimits>> = {
  Parquet: { numbers: 'parquet' },
  JSONL: { jsonNull: false },
  CSV: {},
}

export default r2

function warehouseOf(ctx: ConnectorContext): ObjectStore {
  if (ctx.warehouse) return ctx.warehouse
  throw new AirbyteError('UNSUPPORTED', 'This host has no warehouse bucket.', {
    hint: 'Bind a bucket as WAREHOUSE, or give the command line a warehouse directory.',
  })
}
