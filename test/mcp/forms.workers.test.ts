import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it } from 'vitest'
import { apiKey, errorOf, legacyClient, modernClient, type ToolResult, textOf } from './clients.ts'

interface Asked {
  mode?: string
  message: string
  requestedSchema: { properties: Record<string, { type: string; enum?: string[] }> }
}
type Answer = {
  action: 'accept' | 'decline' | 'cancel'
  content?: Record<string, string | boolean>
}
type Person = (asked: Asked) => Answer

/** A client at which `person` sits. */
interface Chat {
  asked: Asked[]
  call(name: string, args: object): Promise<ToolResult>
  close(): Promise<void>
}

const ERAS: Record<string, (token: string, capabilities: object, person: Person) => Promise<Chat>> =
  {
    '2026-07-28': async (token, elicitation, person) => {
      const client = await modernClient(token, { capabilities: { elicitation } })
      const asked: Asked[] = []
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        asked.push(params as unknown as Asked)
        return person(params as unknown as Asked)
      })
      return chat(client, asked)
    },
    '2025': async (token, elicitation, person) => {
      const client = await legacyClient(token, { capabilities: { elicitation } })
      const asked: Asked[] = []
      client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
        asked.push(params as unknown as Asked)
        return person(params as unknown as Asked)
      })
      return chat(client, asked)
    },
  }

function chat(
  client: {
    callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
    close(): Promise<void>
  },
  asked: Asked[],
): Chat {
  return {
    asked,
    call: async (name, args) =>
      (await client.callTool({ name, arguments: { ...args } })) as ToolResult,
    close: () => client.close(),
  }
}

const FORMS = { form: {} }
const typing =
  (confirm: string): Person =>
  () => ({ action: 'accept', content: { confirm } })
const saying =
  (action: 'decline' | 'cancel'): Person =>
  () => ({ action })

describe.each(Object.entries(ERAS))('a client of %s that shows forms', (era, connect) => {
  const own = (name: string) => `${name}-${era}`
  const ready = async (test: string, person: Person, elicitation: object = FORMS) => {
    const client = await connect(await apiKey(own(test)), elicitation, person)
    await client.call('create_source', { name: 's', type: 'sample-data', config: { count: 5 } })
    await client.call('create_destination', { name: 'd', type: 'dev-null', config: {} })
    return client
  }

  it('has the person type the name of what is deleted, also where the model gave it', async () => {
    const { call, asked, close } = await ready('typed', typing('d'))
    const deleted = await call('delete_resource', { id: 'd', confirm: 'd' })
    expect(deleted.structuredContent, textOf(deleted)).toMatchObject({ deleted: true })
    expect(asked).toMatchObject([
      {
        message: expect.stringContaining("destination 'd'"),
        requestedSchema: { properties: { confirm: { type: 'string' } }, required: ['confirm'] },
      },
    ])
    await close()
  })

  it.each([
    ['types another name', typing('something')],
    ['declines', saying('decline')],
    ['closes the form', saying('cancel')],
  ])('deletes nothing when the person %s, whatever the model gave', async (what, person) => {
    const { call, asked, close } = await ready(`no-${what.length}`, person)
    const refused = await call('delete_resource', { id: 'd', confirm: 'd' })
    expect(errorOf(refused)).toMatchObject({ code: 'CONFIRMATION_REQUIRED' })
    expect(asked).toHaveLength(1)
    const left = await call('get_resource', { id: 'd' })
    expect(left.structuredContent).toMatchObject({ name: 'd' })
    await close()
  })

  it('lets the person choose streams and modes that nobody has named', async () => {
    const { call, asked, close } = await ready('streams', () => ({
      action: 'accept',
      content: {
        'How to read them': 'only what changed, where the source can tell',
        ...{ users: true, products: false, purchases: true, all_types: false },
      },
    }))
    const made = await call('create_connection', { name: 'c', source: 's', destination: 'd' })
    const { properties } = asked[0]?.requestedSchema ?? { properties: {} }
    expect(properties).toMatchObject({
      'How to read them': { type: 'string', enum: expect.any(Array) },
      ...{ users: { type: 'boolean' }, all_types: { type: 'boolean' } },
    })
    expect(made.structuredContent, textOf(made)).toMatchObject({
      streams: [
        { name: 'users', syncMode: 'incremental' },
        { name: 'purchases', syncMode: 'incremental' },
      ],
    })
    await close()
  })

  it('makes no connection when the person chooses nothing, or does not want to', async () => {
    const nothing = await ready('nothing', () => ({ action: 'accept', content: {} }))
    const args = { name: 'c', source: 's', destination: 'd' }
    expect(errorOf(await nothing.call('create_connection', args)).code).toBe('VALIDATION_FAILED')
    await nothing.close()
    const declined = await ready('declined', saying('decline'))
    expect(errorOf(await declined.call('create_connection', args)).code).toBe(
      'CONFIRMATION_REQUIRED',
    )
    const { items } = (await declined.call('list_resources', { kind: 'connection' }))
      .structuredContent as { items: unknown[] }
    expect(items).toEqual([])
    await declined.close()
  })

  it('is not asked about streams that were named, nor about a plan that was shown', async () => {
    const { call, asked, close } = await ready('named', saying('decline'))
    const args = { name: 'c', source: 's', destination: 'd' }
    const { planHash } = (await call('plan_connection', args)).structuredContent ?? {}
    expect((await call('create_connection', { ...args, planHash })).isError).toBeFalsy()
    const named = { ...args, name: 'e', prefix: 'e_', streams: [{ name: 'users' }] }
    expect((await call('create_connection', named)).isError).toBeFalsy()
    expect(asked).toEqual([])
    await close()
  })

  it('also where it says nothing more than that it elicits, as clients did before URLs', async () => {
    const { call, asked, close } = await ready('bare', typing('d'), {})
    expect((await call('delete_resource', { id: 'd' })).isError).toBeFalsy()
    expect(asked).toHaveLength(1)
    await close()
  })

  it('but one that only opens pages gets CONFIRMATION_REQUIRED, and may pass on the name', async () => {
    const { call, asked, close } = await ready('urls', saying('decline'), { url: {} })
    expect(errorOf(await call('delete_resource', { id: 'd' }))).toMatchObject({
      ...{ code: 'CONFIRMATION_REQUIRED', field: 'confirm' },
    })
    expect((await call('delete_resource', { id: 'd', confirm: 'd' })).isError).toBeFalsy()
    expect(asked).toEqual([])
    await close()
  })
})
