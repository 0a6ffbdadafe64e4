import { describe, expect, it } from 'vitest'
import { type ConfigField, fieldsOf } from '../../src/http/config-form/fields.ts'
import { readConfig, secretsIn } from '../../src/http/config-form/read.ts'
import type { JsonObject, JsonSchema } from '../../src/protocol/index.ts'
import { MASK } from '../../src/vault/index.ts'

const secret = (title: string) => ({ type: 'string', title, airbyte_secret: true })
const SPEC: JsonSchema = {
  type: 'object',
  required: ['host', 'port', 'credentials'],
  properties: {
    port: { type: 'integer', default: 5432, order: 1 },
    host: { type: 'string', title: 'Host', order: 0 },
    password: { ...secret('Password'), order: 2 },
    schemas: { type: 'array', items: { type: 'string' }, default: ['public'] },
    kinds: { type: 'array', items: { enum: ['a', 'b'] } },
    since: { type: 'string', format: 'date' },
    verbose: { type: 'boolean' },
    strict: { type: 'boolean', default: true },
    level: { type: 'string', enum: ['low', 'high'] },
    headers: { type: 'object' },
    internal: { type: 'integer', airbyte_hidden: true },
    proxy: { type: 'object', required: ['url'], properties: { url: { type: 'string' } } },
    reports: {
      type: 'array',
      items: {
        required: ['name'],
        properties: { name: { type: 'string' }, days: { type: 'integer' }, key: secret('Key') },
      },
    },
    credentials: {
      oneOf: [
        {
          title: 'Token',
          required: ['method', 'token'],
          properties: { method: { const: 'pat' }, token: secret('Token') },
        },
        {
          title: 'Client',
          required: ['method', 'tenant'],
          properties: {
            method: { type: 'string', enum: ['oauth'] },
            tenant: { type: 'string' },
            region: {
              oneOf: [
                { title: 'EU', properties: { at: { const: 'eu' } } },
                {
                  title: 'Own',
                  properties: { at: { const: 'own' }, url: { type: 'string' } },
                },
              ],
            },
          },
        },
      ],
    },
  },
}

const read = (entered: Record<string, string>, config: JsonObject = {}) =>
  readConfig(fieldsOf(SPEC, config), new URLSearchParams(entered))
const named = (fields: ConfigField[], key: string) => fields.find((field) => field.key === key)

describe('the form of a config', () => {
  it('asks for all that a spec shows, in its order', () => {
    const fields = fieldsOf(SPEC)
    expect(fields.map(({ key }) => key).slice(0, 3)).toEqual(['host', 'port', 'password'])
    expect(fields.map(({ key }) => key)).not.toContain('internal')
    expect(named(fields, 'port')).toMatchObject({ kind: 'number', value: 5432, isFirm: true })
    expect(named(fields, 'credentials')).toMatchObject({ kind: 'union', chosen: '0' })
    expect(named(fields, 'reports')).toMatchObject({ kind: 'rows', rows: [] })
  })

  it('knows the variant that a config chose, and shows no secret of it', () => {
    const fields = fieldsOf(SPEC, { password: MASK, credentials: { method: 'pat', token: MASK } })
    expect(named(fields, 'credentials')).toMatchObject({
      chosen: '0',
      variants: [{ fields: [{ key: 'token', secret: true, stored: true }] }, {}],
    })
    expect(JSON.stringify(fields)).not.toContain(MASK)
  })

  it('makes a config of what was entered, each value in its type', () => {
    const entered = {
      ...{ 'config.host': 'db', 'config.port': '6543', 'config.password': 's3cret' },
      ...{ 'config.schemas': 'public\r\n sales \r\n', 'config.kinds': 'b' },
      ...{ 'config.since': '2026-01-01', 'config.verbose': 'yes', 'config.level': 'high' },
      ...{ 'config.headers': '{"a": 1}', 'config.credentials': '1' },
      ...{ 'config.credentials@0.token': 'of the other variant' },
      ...{ 'config.credentials@1.tenant': 'acme', 'config.credentials@1.region': '1' },
      ...{ 'config.credentials@1.region@1.url': 'https://own.example' },
      ...{ 'config.reports#rows': '2', 'config.reports[1].name': 'daily' },
      ...{ 'config.reports[1].days': '7' },
    }
    expect(read(entered)).toEqual({
      ...{ host: 'db', port: 6543, password: 's3cret', schemas: ['public', 'sales'] },
      ...{ kinds: ['b'], since: '2026-01-01', verbose: true, strict: false, level: 'high' },
      ...{ headers: { a: 1 }, reports: [{ name: 'daily', days: 7 }] },
      credentials: {
        ...{ method: 'oauth', tenant: 'acme' },
        region: { at: 'own', url: 'https://own.example' },
      },
    })
  })

  it('leaves out what was left empty, and takes away what had a value', () => {
    expect(read({ 'config.host': 'db' })).toEqual({ host: 'db', strict: false })
    const stored = {
      ...{ host: 'db', port: 1, level: 'low', password: MASK, internal: 3, proxy: { url: 'x' } },
      credentials: { method: 'oauth', tenant: 'acme', region: { at: 'eu' } },
    }
    const entered = { 'config.host': 'db', 'config.credentials': '1' }
    expect(read({ ...entered, 'config.credentials@1.tenant': 'acme' }, stored)).toEqual({
      ...{ host: 'db', port: null, level: null, password: MASK, strict: false },
      ...{ proxy: { url: null }, credentials: { method: 'oauth', tenant: 'acme', region: null } },
    })
  })

  it('forgets a stored secret when told to', () => {
    const entered = { 'config.password#forget': 'yes' }
    expect(read(entered, { password: MASK }).password).toBe('')
    expect(read({}, { password: MASK }).password).toBe(MASK)
    expect(read({}).password).toBeUndefined()
  })

  it('keeps the secrets of rows at their place only', () => {
    const rows = [
      { name: 'a', key: MASK },
      { name: 'b', key: MASK },
    ]
    const kept = { 'config.reports#rows': '2', 'config.reports[1].name': 'b' }
    expect(read({ ...kept, 'config.reports[0].name': 'a' }, { reports: rows }).reports).toEqual(
      rows,
    )
    expect(read(kept, { reports: rows }).reports).toEqual([{ name: 'b' }])
  })

  it('hands on what does not fit, for the validation to say so', () => {
    const wrong = { 'config.port': '9007199254740993', 'config.headers': '{' }
    expect(read(wrong)).toMatchObject({ port: '9007199254740993', headers: '{' })
  })

  it('takes no field that it did not ask for', () => {
    const odd = { 'config.internal': '1', 'config.__proto__.x': '1', 'config.reports#rows': '1e9' }
    expect(read({ ...odd, 'config.strict': 'yes' })).toEqual({ strict: true })
    expect(({} as JsonObject).x).toBeUndefined()
  })

  it('names the secrets of a form, in variants that were not chosen too', () => {
    const entered = { 'config.credentials@0.token': 't0ken', 'config.password': 'pw' }
    const all = secretsIn(fieldsOf(SPEC), new URLSearchParams(entered))
    expect(all.toSorted()).toEqual(['pw', 't0ken'])
  })
})
