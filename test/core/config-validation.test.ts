import { describe, expect, it } from 'vitest'
import { checkConfig, validateConfig } from '../../src/core/config-validation.ts'
import type { JsonObject } from '../../src/protocol/index.ts'

const SPEC = {
  type: 'object',
  required: ['host', 'password', 'ssl_mode'],
  properties: {
    host: { type: 'string', minLength: 1 },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 5432 },
    password: { type: 'string', airbyte_secret: true },
    start_date: {
      type: 'string',
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
      pattern_descriptor: 'YYYY-MM-DD',
    },
    schemas: { type: 'array', items: { type: 'string' }, minItems: 1, default: ['public'] },
    level: { type: 'string', enum: ['low', 'high'] },
    labels: { type: 'object' },
    ssl_mode: {
      type: 'object',
      default: { mode: 'require' },
      oneOf: [
        { required: ['mode'], properties: { mode: { type: 'string', const: 'disable' } } },
        { required: ['mode'], properties: { mode: { type: 'string', const: 'require' } } },
        {
          required: ['mode', 'ca_certificate'],
          properties: {
            mode: { type: 'string', enum: ['verify-ca'] },
            ca_certificate: { type: 'string', airbyte_secret: true },
            depth: { type: 'integer', default: 3 },
          },
        },
      ],
    },
    replication: { anyOf: [{ type: 'string', title: 'Name' }, { type: 'integer' }] },
  },
}

const GOOD = { host: 'db', password: 'pw' }
const problemsOf = (config: JsonObject) =>
  checkConfig(SPEC, config).problems.map((p) => `${p.field} ${p.message}`)

describe('validateConfig', () => {
  it('fills defaults, also those of the chosen branch, without touching what it was given', () => {
    expect(validateConfig(SPEC, GOOD)).toEqual({
      ...GOOD,
      port: 5432,
      schemas: ['public'],
      ssl_mode: { mode: 'require' },
    })
    const ssl_mode = { mode: 'verify-ca', ca_certificate: 'PEM' }
    expect(validateConfig(SPEC, { ...GOOD, ssl_mode }).ssl_mode).toEqual({ ...ssl_mode, depth: 3 })
    expect(GOOD).toEqual({ host: 'db', password: 'pw' })
  })

  it('names the first wrong field and lists all in the message', () => {
    expect(() => validateConfig(SPEC, { hots: 'db', port: '5432', password: 'pw' })).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        field: 'config.host',
        message:
          'config.host is missing; config.hots is not a known field (did you mean host?); ' +
          'config.port must be an integer, not a string.',
      }),
    )
  })

  it.each<[JsonObject, string]>([
    [{ port: 0 }, 'config.port must be at least 1'],
    [{ port: 70_000 }, 'config.port must be at most 65535'],
    [{ port: 5432.5 }, 'config.port must be an integer, not a number'],
    [{ host: '' }, 'config.host must not be empty'],
    [{ host: null }, 'config.host must be a string, not null'],
    [{ start_date: '1 May' }, 'config.start_date must look like YYYY-MM-DD'],
    [{ schemas: [] }, 'config.schemas must have at least 1 items'],
    [{ schemas: ['a', 2] }, 'config.schemas[1] must be a string, not a number'],
    [{ level: 'mid' }, 'config.level must be one of "low", "high"'],
    [
      { ssl_mode: { mode: 'disabled' } },
      'config.ssl_mode.mode must be one of "disable", "require", "verify-ca"',
    ],
    [
      { ssl_mode: {} },
      'config.ssl_mode.mode is missing; it must be one of "disable", "require", "verify-ca"',
    ],
    [
      { ssl_mode: 'disable' },
      'config.ssl_mode must be an object whose mode must be one of "disable", "require", "verify-ca"',
    ],
    [{ ssl_mode: { mode: 'verify-ca' } }, 'config.ssl_mode.ca_certificate is missing'],
    [
      { ssl_mode: { mode: 'disable', depth: 1 } },
      'config.ssl_mode.depth is not a known field (known: mode)',
    ],
    [{ replication: true }, 'config.replication must have one of the forms: Name, integer'],
    [{ nonsense: 1 }, 'config.nonsense is not a known field (known: host, '],
  ])('refuses %j', (wrong, problem) => {
    expect(problemsOf({ ...GOOD, ...wrong }).join('\n')).toContain(problem)
  })

  it('takes any field of an object that declares none', () => {
    const labels = { team: 'data', nested: { a: 1 } }
    expect(validateConfig(SPEC, { ...GOOD, labels }).labels).toEqual(labels)
  })

  it('takes unknown fields only where the spec says additionalProperties', () => {
    const spec = { properties: { a: { type: 'string' } }, additionalProperties: true }
    expect(validateConfig(spec, { b: 1 })).toEqual({ b: 1 })
    const typed = { properties: {}, additionalProperties: { type: 'string' } }
    expect(checkConfig(typed, { b: 1 }).problems[0]?.field).toBe('config.b')
  })

  it('takes a union without its discriminator when only one branch fits', () => {
    const spec = {
      properties: {
        auth: {
          oneOf: [
            { required: ['key'], properties: { kind: { const: 'key' }, key: { type: 'string' } } },
            { required: ['user'], properties: { kind: { const: 'basic' }, user: {} } },
          ],
        },
      },
    }
    expect(validateConfig(spec, { auth: { key: 'k' } })).toEqual({ auth: { key: 'k' } })
  })

  it('lets secrets be missing or masked when asked to ignore them', () => {
    const config = { host: 'db', ssl_mode: { mode: 'verify-ca' } }
    expect(() => validateConfig(SPEC, config, { ignoreSecrets: true })).not.toThrow()
    expect(() =>
      validateConfig(SPEC, { host: 'db', password: 7 }, { ignoreSecrets: true }),
    ).not.toThrow()
    expect(() => validateConfig(SPEC, config)).toThrow('config.password is missing')
  })

  it('leaves a choice between ways to give secrets to where they are entered', () => {
    const way = (method: string) => ({
      properties: { method: { const: method }, key: { type: 'string', airbyte_secret: true } },
    })
    const spec = { required: ['access'], properties: { access: { oneOf: [way('a'), way('b')] } } }
    expect(validateConfig(spec, {}, { ignoreSecrets: true })).toEqual({})
    expect(() => validateConfig(spec, {})).toThrow('config.access is missing')
  })

  it('never repeats a value, which may be a secret in the wrong place', () => {
    const config = { ...GOOD, port: 'canary', level: 'canary', ssl_mode: { mode: 'canary' } }
    expect(problemsOf(config).join()).not.toContain('canary')
    expect(problemsOf(config)).toHaveLength(3)
  })

  it('is not fooled by fields that every object inherits', () => {
    const config = JSON.parse('{"host":"db","password":"x","__proto__":{"a":1},"toString":1}')
    expect(checkConfig(SPEC, config).problems.map((p) => p.field)).toEqual([
      'config.__proto__',
      'config.toString',
    ])
  })

  it('reads patterns as Python does, and does not block on one that it cannot read', () => {
    const spec = (pattern: string) => ({ properties: { a: { type: 'string', pattern } } })
    const year = spec('^(?P<year>\\d+)$')
    expect(validateConfig(year, { a: '2024' })).toEqual({ a: '2024' })
    expect(checkConfig(year, { a: 'x' }).problems).toHaveLength(1)
    expect(validateConfig(spec('^\\p{L}$'), { a: 'x' })).toEqual({ a: 'x' })
  })

  it('comes to an end with a pattern that does not', () => {
    const endless = '^(([a-z]+)+)+$'
    const spec = { properties: { a: { type: 'string', pattern: endless } } }
    const value = `${'a'.repeat(60)}!`
    expect(checkConfig(spec, { a: value }).problems).toHaveLength(1)
    const map = { properties: { m: { type: 'object', patternProperties: { [endless]: {} } } } }
    expect(checkConfig(map, { m: { [value]: 1 } }).problems.length).toBeLessThanOrEqual(1)
  })
})
