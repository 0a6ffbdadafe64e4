import { describe, expect, it } from 'vitest'
import { configOf, secretForm } from '../../src/http/setup-form.ts'
import type { JsonSchema } from '../../src/protocol/index.ts'

const secret = (title: string) => ({ type: 'string', title, airbyte_secret: true })
const SPEC: JsonSchema = {
  type: 'object',
  required: ['host', 'password'],
  properties: {
    host: { type: 'string' },
    password: { ...secret('Password'), description: 'Of the user above.' },
    ssh: { type: 'object', properties: { key: { ...secret('Key'), multiline: true } } },
    credentials: {
      title: 'Sign in with',
      oneOf: [
        {
          title: 'Token',
          required: ['token'],
          properties: { method: { const: 'pat' }, token: secret('Token') },
        },
        {
          title: 'Client',
          required: ['id', 'secret'],
          properties: {
            method: { const: 'oauth' },
            id: { type: 'string' },
            secret: secret('Client secret'),
          },
        },
      ],
    },
    ssl: { oneOf: [{ properties: { mode: { const: 'off' } } }] },
  },
}

describe('the form of a setup page', () => {
  it('asks for the secrets and for nothing else', () => {
    const items = secretForm(SPEC, {}, new Set(['password']))
    expect(items.map(({ path }) => path)).toEqual(['password', 'ssh.key', 'credentials'])
    expect(items[0]).toMatchObject({
      title: 'Password',
      help: 'Of the user above.',
      required: true,
    })
    expect(items[1]).toMatchObject({ multiline: true, required: false })
  })

  it('asks for what a variant needs besides its secrets, where it is chosen here', () => {
    const [, , choice] = secretForm(SPEC, {}, new Set())
    expect(choice).toMatchObject({
      variants: [
        { items: [{ path: 'credentials.token', isSecret: true }] },
        {
          items: [
            { path: 'credentials.id', isSecret: false },
            { path: 'credentials.secret', isSecret: true },
          ],
        },
      ],
    })
  })

  it('follows the variant that the config chose', () => {
    const items = secretForm(SPEC, { credentials: { method: 'oauth', id: 'x' } }, new Set())
    expect(items.map(({ path }) => path)).toEqual(['password', 'ssh.key', 'credentials.secret'])
  })

  it('lets a stored secret be kept by leaving its field empty', () => {
    const items = secretForm(SPEC, { password: '**********' }, new Set())
    expect(items[0]).toMatchObject({ path: 'password', required: false })
    expect(configOf(items, new Map([['password', '']]))).toEqual({})
  })

  it('puts the values in their places, with the mark of the chosen variant', () => {
    const items = secretForm(SPEC, {}, new Set())
    const form = new Map([
      ['password', 'pw'],
      ['ssh.key', 'line 1\nline 2'],
      ['choice:credentials', '1'],
      ['credentials.token#0', 'of the other variant'],
      ['credentials.secret#1', 's3'],
    ])
    expect(configOf(items, form)).toEqual({
      password: 'pw',
      ssh: { key: 'line 1\nline 2' },
      credentials: { method: 'oauth', secret: 's3' },
    })
  })

  it('takes no field that the form did not ask for', () => {
    const items = secretForm(SPEC, {}, new Set())
    const form = new Map([
      ['host', 'evil.example'],
      ['__proto__.polluted', 'x'],
    ])
    expect(configOf(items, form)).toEqual({})
  })
})
