import { AirbyteError, type ErrorKind, type JsonObject } from '../../../src/protocol/index.ts'

export interface SampleConfig {
  count: number
  seed: number
  recordsPerSlice: number
  rowsPerSecond?: number
  failAt?: FailDial
  stallAt?: StallDial
  repeatAt?: DialAt
  dropComplete: boolean
  empty: boolean
  /** Names this config among others, for dials that count. */
  fingerprint: string
}

/** The moment at which a dial acts. */
export interface DialAt {
  record: number
  stream?: string
  times?: number
}

type FailDial = DialAt & { kind: ErrorKind; as: 'exception' | 'event' }
type StallDial = DialAt & { ms: number }

/** Reads a config that the spec has checked; checks the numbers again, because all else rests on them. */
export function parseConfig(config: JsonObject): SampleConfig {
  return {
    count: integer(config, 'count', 0, 1000),
    seed: integer(config, 'seed', -(2 ** 31), -1),
    recordsPerSlice: Math.min(integer(config, 'records_per_slice', 1, 1000), 5000),
    rowsPerSecond:
      config.rows_per_second === undefined ? undefined : integer(config, 'rows_per_second', 1, 1),
    failAt: dial<FailDial>(config, 'fail_at', { kind: 'transient', as: 'exception' }),
    stallAt: dial<StallDial>(config, 'stall_at', {}),
    repeatAt: dial<DialAt>(config, 'repeat_at', {}),
    dropComplete: config.drop_complete === true,
    empty: config.empty === true,
    fingerprint: JSON.stringify(config),
  }
}

function integer(config: JsonObject, field: string, minimum: number, fallback: number): number {
  const value = config[field] ?? fallback
  if (Number.isInteger(value) && (value as number) >= minimum && (value as number) < 2 ** 31) {
    return value as number
  }
  const message = `config.${field} must be an integer from ${minimum} to ${2 ** 31 - 1}.`
  throw new AirbyteError('VALIDATION_FAILED', message, { field: `config.${field}` })
}

function dial<D extends DialAt>(
  config: JsonObject,
  field: string,
  defaults: Partial<D>,
): D | undefined {
  const given = config[field]
  if (given === undefined) return undefined
  if (Number.isInteger((given as JsonObject | null)?.record)) {
    return { ...defaults, ...(given as object) } as D
  }
  throw new AirbyteError('VALIDATION_FAILED', `config.${field}.record must be an integer.`, {
    field: `config.${field}.record`,
  })
}
