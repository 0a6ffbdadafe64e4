/** Several people in one workspace: invitations, levels, keys, and what ends with a membership. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { validateToken } from '../../src/identity/access.ts'
import { personObject } from '../../src/identity/objects.ts'
import { userIdOf } from '../../src/identity/people.ts'
import { openSession } from '../../src/identity/session.ts'
import { Browser } from '../identity/sign-in/browser.ts'
import { call } from '../oauth/oauth-client.ts'
import { formTokenOf, type Member, textOf } from './people.ts'

const API = 'http://localhost:8787/api'
const isGood = async (key: string) =>
  (await validateToken(new Request(API), env, API, key))?.scope ?? null

/** Somebody who signs in; the first time they get a workspace of their own. */
async function person(name: string) {
  const profile = { issuer: 'https://id.example', subject: crypto.randomUUID(), name }
  const browser = new Browser().keep(await openSession(env, profile))
  const userId = await userIdOf(profile)
  const [home] = await personObject(env, userId).memberships()
  const tenantId = home?.tenantId ?? ''
  const inside = (workspace: string): Member => ({
    ...{ browser, userId },
    open: (path = '') => browser.open(`/w/${workspace}${path}`),
    send: (page, path, fields = {}) =>
      browser.submit(`/w/${workspace}${path}`, { form: formTokenOf(page), ...fields }),
  })
  return { ...inside(tenantId), tenantId, inside }
}

async function invitation(owner: Awaited<ReturnType<typeof person>>, level = 'editor') {
  const page = await owner.open('/members')
  const made = await owner.send(page, '/members/invite', { level, note: 'Ben' })
  return new URL(/<code>([^<]+)<\/code>/.exec(made.html)?.[1] ?? '').pathname
}

async function join(guest: Awaited<ReturnType<typeof person>>, link: string) {
  const page = await guest.browser.open(link)
  return guest.browser.submit(link, { form: formTokenOf(page) })
}

describe('an invitation', () => {
  it('lets one person in, at its level, once', async () => {
    const ann = await person('Ann')
    const ben = await person('Ben')
    const eve = await person('Eve')
    const link = await invitation(ann, 'operator')
    const asked = await ben.browser.open(link)
    expect(textOf(asked)).toMatch(/Join Ann's|Join Ann&#39;s/)
    expect(textOf(asked)).toContain('Ann invites you as operator')
    expect((await join(ben, link)).url).toContain(`/w/${ann.tenantId}`)
    expect((await eve.browser.open(link)).status).toBe(410)
    expect((await join(eve, link)).status).toBe(410)
    const members = textOf(await ann.open('/members'))
    expect(members).toMatch(/Ann \(you\) Owner .*Ben Operator/)
    expect(await personObject(env, ben.userId).levelIn(ann.tenantId)).toBe('operator')
  })

  it('lets one of two in who come at the same time', async () => {
    const ann = await person('Ann')
    const guests = await Promise.all(['Ben', 'Cem'].map(person))
    const link = await invitation(ann)
    await Promise.all(guests.map((guest) => join(guest, link)))
    const levels = await Promise.all(
      guests.map(({ userId }) => personObject(env, userId).levelIn(ann.tenantId)),
    )
    expect(levels.filter(Boolean)).toHaveLength(1)
  })

  it('is worth nothing once withdrawn, changed, or sent by another site or person', async () => {
    const ann = await person('Ann')
    const ben = await person('Ben')
    const link = await invitation(ann)
    expect((await ben.browser.open(`${link.slice(0, -3)}AAA`)).status).toBe(410)
    expect((await ben.browser.open('/invitations/x')).status).toBe(410)
    const token = formTokenOf(await ann.browser.open(link))
    await ben.browser.open(link)
    expect((await ben.browser.submit(link, { form: token })).status).toBe(403)
    const page = await ann.open('/members')
    const id = /name="invitation" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
    await ann.send(page, '/members/withdraw', { invitation: id })
    expect((await join(ben, link)).status).toBe(410)
    expect(await personObject(env, ben.userId).levelIn(ann.tenantId)).toBeNull()
  })

  it('takes nothing from a member who is there already', async () => {
    const ann = await person('Ann')
    const link = await invitation(ann, 'reader')
    await join(ann, link)
    expect(await personObject(env, ann.userId).levelIn(ann.tenantId)).toBe('owner')
  })

  it('does not let somebody in again who was removed', async () => {
    const ann = await person('Ann')
    const ben = await person('Ben')
    const link = await invitation(ann)
    await join(ben, link)
    await ann.send(await ann.open('/members'), '/members/remove', { member: ben.userId })
    expect((await join(ben, link)).status).toBe(410)
  })
})

describe('a member', () => {
  it('has keys that keep no more than the level has, and none after the end', async () => {
    const ann = await person('Ann')
    const ben = await person('Ben')
    await join(ben, await invitation(ann, 'editor'))
    const there = ben.inside(ann.tenantId)
    const form = { name: 'ci', days: '30', scope: 'workspace:write' }
    const made = await there.send(await there.open('/keys'), '/keys/create', form)
    const key = /<code>(abk_[^<]+)<\/code>/.exec(made.html)?.[1] ?? ''
    expect(await isGood(key)).toEqual(['workspace:write'])
    expect((await there.open('/keys')).html).not.toContain(key)
    const change = async (path: string, fields: object) =>
      ann.send(await ann.open('/members'), path, { member: ben.userId, ...fields })
    await change('/members/level', { level: 'reader' })
    expect(await isGood(key)).toBeNull()
    expect((await there.open('/members')).html).not.toContain('/members/invite')
    await change('/members/remove', {})
    expect((await there.open()).status).toBe(404)
  })

  it('may not change members without being an owner, by page or by API key', async () => {
    const ann = await person('Ann')
    const ben = await person('Ben')
    await join(ben, await invitation(ann, 'editor'))
    const there = ben.inside(ann.tenantId)
    const page = await there.open('/keys')
    const promoted = await there.send(page, '/members/level', {
      ...{ member: ben.userId, level: 'owner' },
    })
    expect(promoted.status).toBe(403)
    const form = { name: 'all', days: '', scope: 'workspace:admin' }
    const made = await ann.send(await ann.open('/keys'), '/keys/create', form)
    const key = /<code>(abk_[^<]+)<\/code>/.exec(made.html)?.[1] ?? ''
    const invited = await call('/api/v1/members/invitations', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ level: 'owner' }),
    })
    expect(invited.status).toBe(403)
  })

  it('who is the only owner stays one', async () => {
    const ann = await person('Ann')
    const ben = await person('Ben')
    const me = { member: ann.userId }
    const alone = await ann.send(await ann.open('/members'), '/members/remove', me)
    expect(alone.status).toBe(409)
    const demoted = { ...me, level: 'reader' }
    expect((await ann.send(await ann.open('/members'), '/members/level', demoted)).status).toBe(409)
    await join(ben, await invitation(ann, 'owner'))
    const left = await ann.send(await ann.open('/members'), '/members/remove', me)
    expect(left.status).toBe(200)
    expect((await ann.open()).status).toBe(404)
    expect(await personObject(env, ben.userId).levelIn(ann.tenantId)).toBe('owner')
  })
})

describe('the audit log', () => {
  it('says who did what by which face, refused calls too, and never with what', async () => {
    const ann = await person('Ann')
    const ben = await person('Ben')
    await join(ben, await invitation(ann, 'editor'))
    const there = ben.inside(ann.tenantId)
    const form = { invitation: 'canary-argument' }
    await there.send(await there.open('/keys'), '/members/withdraw', form)
    const page = await ann.open('/audit')
    expect(textOf(page)).toMatch(/Ben page members\.withdraw refused/)
    expect(textOf(page)).toMatch(/Ann page members\.invite allowed/)
    expect(page.html).not.toContain('canary-argument')
  })
})
