import { AirbyteError, type ErrorKind, type JsonObject } from '../../../src/protocol/index.ts'

export interface DevNullConfig {
  failAt?: FailAt
  millisPerChunk: number
  millisPerRecord: number
  rejectEvery?: number
}

export type Moment = 'check' | 'prepare' | 'load' | 'answer' | 'finish' | 'abort'

export interface FailAt {
  when: Moment
  kind: ErrorKind
  row?: number
  chunk?: number
  times?: number
}

export function parseConfig(config: JsonObject): DevNullConfig {
  const form = (config.test_destination ?? {}) as JsonObject
  const given = config.fail_at as (Partial<FailAt> & JsonObject) | undefined
  const rows = form.num_messages as number | undefined
  const failing: FailAt | undefined =
    rows === undefined ? undefined : { when: 'load', row: rows + 1, kind: 'system' }
  return {
    failAt: given ? { kind: 'transient', ...given, when: momentOf(given.when) } : failing,
    millisPerChunk: (config.millis_per_chunk as number | undefined) ?? 0,
    millisPerRecord: (form.millis_per_record as number | undefined) ?? 0,
    rejectEvery: config.reject_every as number | undefined,
  }
}

function momentOf(when: unknown): Moment {
  const moment = MOMENTS.find((known) => known === when)
  if (moment) return moment
  throw new AirbyteError(
    'VALIDATION_FAILED',
    `config.fail_at.when is one of ${MOMENTS.join(', ')}.`,
    { field: 'config.fail_at.when' },
  )
}

const MOMENTS: Moment[] = ['check', 'prepare', 'load', 'answer', 'finish', 'abort']

export function dialedFailure({ kind }: FailAt, when: string, stream?: string): AirbyteError {
  return new AirbyteError(CODES[kind], `dev-null was told to fail at ${when}.`, {
    stream,
    hint: 'Remove fail_at from the config.',
  })
}

const CODES = { config: 'AUTH_FAILED', transient: 'UPSTREAM_ERROR', system: 'INTERNAL' } as const
