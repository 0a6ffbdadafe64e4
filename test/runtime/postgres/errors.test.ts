import { describe, expect, it } from 'vitest'
import { mapPostgresError } from '../../../src/runtime/postgres/errors.ts'

const server = (code: string, message = 'it failed', more = {}) =>
  Object.assign(new Error(message), { code, ...more })

describe('mapPostgresError', () => {
  it.each([
    ['28P01', 'AUTH_FAILED', 'config'],
    ['28000', 'AUTH_FAILED', 'config'],
    ['42501', 'PERMISSION_DENIED', 'config'],
    ['3D000', 'VALIDATION_FAILED', 'config'],
    ['53100', 'DESTINATION_FULL', 'config'],
    ['22021', 'SOURCE_MISCONFIGURED', 'config'],
    ['25006', 'DESTINATION_READ_ONLY', 'config'],
    ['08006', 'CONNECTION_LOST', 'transient'],
    ['57P01', 'CONNECTION_LOST', 'transient'],
    ['ECONNRESET', 'CONNECTION_LOST', 'transient'],
    ['57014', 'TIMEOUT', 'transient'],
    ['55P03', 'TIMEOUT', 'transient'],
    ['53300', 'UPSTREAM_ERROR', 'transient'],
    ['40P01', 'UPSTREAM_ERROR', 'transient'],
    ['42P01', 'STREAM_NOT_FOUND', 'config'],
    ['42703', 'COLUMNS_CHANGED', 'config'],
  ])('maps %s to %s (%s)', (code, expected, kind) => {
    expect(mapPostgresError(server(code))).toMatchObject({ code: expected, kind })
  })

  it('names the GRANT to run and the stream', () => {
    const error = mapPostgresError(server('42501'), {
      username: 'reader',
      stream: 'public.t',
      right: 'SELECT ON "public"."t"',
    })
    expect(error.stream).toBe('public.t')
    expect(error.hint).toContain('GRANT SELECT ON "public"."t" TO "reader"')
  })

  it('leaves out the detail, which quotes rows', () => {
    const error = mapPostgresError(
      server('23514', 'new row violates check', { detail: 'Failing row contains (secret)' }),
    )
    expect(error.message).not.toContain('secret')
  })
})
