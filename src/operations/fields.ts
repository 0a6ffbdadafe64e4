/** Input fields and output shapes that several operations share. */
import { z } from 'zod'
import type { JsonObject } from '../protocol/index.ts'

export const nameOrId = z.string().trim().min(1).max(200)
export const entityName = z.string().trim().min(1).max(100)
export const config = z.record(z.string(), z.json()).transform((value) => value as JsonObject)
export const syncNumber = z.coerce.number().int().positive()
export const waitSeconds = z.coerce.number().int().min(0).max(40).optional()
/** A flag; query strings and command lines give it as text. */
export const flag = z
  .preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean())
  .meta({ type: 'boolean' })

export const paging = {
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().max(200).optional(),
}

/** For lists that clients of Airbyte's API page by position. */
export const offset = z.coerce.number().int().min(0).optional()

export const schedule = z.strictObject({
  cron: z.string().optional().describe('0 */6 * * *'),
  timezone: z.string().optional().describe('Default UTC'),
  intervalSeconds: z.number().min(60).max(31_536_000).optional(),
  continuous: z.literal(true).optional(),
  manual: z.literal(true).optional(),
})
export type ScheduleInput = z.output<typeof schedule>

/** One column, or the path to a nested field. */
const path = z.union([z.string(), z.array(z.string())])

/** Kept out of the tools' schemas, which a model pays for in every conversation; all faces take it. */
const ADVANCED = { 'x-advanced': true } as const

const normalization = z.enum(['raw', 'basic', 'flatten', 'nested'])

export const streamChoice = z.strictObject({
  name: z.string().min(1),
  namespace: z.string().optional(),
  syncMode: z.enum(['full_refresh', 'incremental', 'cdc']).optional(),
  destinationSyncMode: z
    .enum(['append', 'overwrite', 'append_dedup', 'overwrite_dedup'])
    .optional(),
  cursorField: path.optional(),
  primaryKey: z
    .union([z.string(), z.array(path)])
    .optional()
    .describe('Column(s)'),
  selectedFields: z.array(z.string()).optional(),
  lookbackSeconds: z.number().min(0).optional(),
  includeFiles: z.boolean().optional(),
  normalization: normalization.optional().meta(ADVANCED),
  /** Checked in full by `mappingOf`: its schema alone would cost a model more than the tool. */
  mapping: z
    .looseObject({})
    .optional()
    .describe('filter {field,op,value}, hash [columns], rename {old:new}'),
})
export type StreamChoice = z.output<typeof streamChoice>

/** Streams named for a sync, a refresh or a state: `users`, `public.users` or `{ name, namespace }`. */
export const streamName = z.union([
  z.string().min(1),
  z.strictObject({ name: z.string().min(1), namespace: z.string().optional() }),
])

const MIB = 1024 * 1024

/** Budgets of a slice, for the few connections that the defaults do not suit. */
const sliceLimits = z.strictObject({
  sliceMs: z.number().int().min(1000).max(300_000).optional(),
  sliceBytes: z.number().int().min(MIB).optional(),
  sliceRows: z.number().int().min(1).optional(),
  chunkBytes: z
    .number()
    .int()
    .min(0)
    .max(1024 * MIB)
    .optional()
    .describe('Default 67108864'),
})

export const connectionSettings = {
  namespace: z.string().max(63).optional().describe('Target schema'),
  prefix: z.string().max(40).optional().describe('Of tables'),
  normalization: normalization.optional(),
  flattening: z
    .strictObject({
      depth: z.number().int().min(1).max(10).optional(),
      separator: z.string().min(1).max(8).optional(),
    })
    .optional()
    .meta({ ...ADVANCED, description: 'Of flatten and nested; default depth 10, separator _' }),
  transfer: z.enum(['auto', 'direct', 'staged']).optional().meta(ADVANCED),
  schemaChanges: z.enum(['ignore', 'disable', 'propagate_columns', 'propagate_fully']).optional(),
  maxRejects: z.number().min(0).optional(),
  freshnessSeconds: z
    .number()
    .int()
    .min(0)
    .max(31_536_000)
    .optional()
    .meta({
      ...ADVANCED,
      description: 'How old rows may get before the connection is late; 0: no target',
    }),
  limits: sliceLimits.optional().meta({ ...ADVANCED, description: 'Of one slice of a sync' }),
}

export const time = z.iso.datetime()
export const actorOutput = z.looseObject({
  id: z.string(),
  kind: z.enum(['source', 'destination']),
  name: z.string(),
  type: z.string(),
  status: z.enum(['awaiting_credentials', 'active']),
  config: z.record(z.string(), z.json()),
  missingSecrets: z.array(z.string()),
  createdAt: time,
  updatedAt: time,
})
export const createdActorOutput = z.looseObject({
  ...actorOutput.shape,
  setupUrl: z.string().optional(),
  setupId: z.string().optional(),
  expiresAt: time.optional(),
})
export const syncOutput = z.looseObject({
  syncId: z.number(),
  connectionId: z.string(),
  status: z.enum(['pending', 'running', 'succeeded', 'incomplete', 'failed', 'cancelled']),
  startedAt: time,
  endedAt: time.optional(),
  rows: z.number(),
  bytes: z.number(),
  warnings: z.number(),
  waiting: z
    .array(
      z.looseObject({
        stream: z.string(),
        until: time,
        reason: z.string(),
        code: z.string().optional(),
      }),
    )
    .optional(),
  error: z.looseObject({ code: z.string(), message: z.string(), hint: z.string() }).optional(),
})
export const connectionOutput = z.looseObject({
  id: z.string(),
  kind: z.literal('connection'),
  name: z.string(),
  source: z.string(),
  destination: z.string(),
  status: z.enum(['active', 'paused']),
  streams: z.array(z.looseObject({ name: z.string() })),
  schedule: z.looseObject({}),
  nextRunAt: time.optional(),
  lastSync: syncOutput.optional(),
  createdAt: time,
  updatedAt: time,
})
export const planOutput = z.looseObject({
  planHash: z.string(),
  name: z.string(),
  streams: z.array(
    z.looseObject({
      stream: z.string(),
      target: z.string(),
      action: z.enum(['create', 'append', 'merge', 'replace', 'none']),
      columns: z.array(z.looseObject({ name: z.string(), type: z.string() })),
      tables: z.array(z.looseObject({ target: z.string(), array: z.string() })).optional(),
      statements: z.array(z.string()),
    }),
  ),
  estimate: z.looseObject({ basis: z.string() }),
  warnings: z.array(z.looseObject({ code: z.string(), message: z.string() })),
})
export const schemaChangesOutput = z.looseObject({
  policy: z.enum(['ignore', 'disable', 'propagate_columns', 'propagate_fully']),
  streams: z.array(
    z.looseObject({
      stream: z.string(),
      effect: z.enum(['applied', 'ignored', 'refused']),
      added: z.array(z.looseObject({ name: z.string(), type: z.string() })),
      removed: z.array(z.string()),
      retyped: z.array(z.looseObject({ name: z.string(), from: z.string(), to: z.string() })),
      statements: z.array(z.string()),
    }),
  ),
  newStreams: z.array(z.string()),
  additions: z.array(z.looseObject({ stream: z.string() })).optional(),
})
export const rowOutput = z.looseObject({
  id: z.string(),
  kind: z.enum(['source', 'destination', 'connection']),
  name: z.string(),
  status: z.string(),
})
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.looseObject({ items: z.array(item), total: z.number(), cursor: z.string().optional() })
export const deletedOutput = z.looseObject({ id: z.string(), deleted: z.literal(true) })
export const verifyLevel = z.enum(['count', 'hash'])
export const verifyOutput = z.looseObject({
  level: verifyLevel,
  ok: z.boolean(),
  streams: z.array(z.looseObject({ stream: z.string(), ok: z.boolean() })),
})
export const checkOutput = z.looseObject({
  ok: z.boolean(),
  problem: z.looseObject({ code: z.string(), message: z.string(), hint: z.string() }).optional(),
})
