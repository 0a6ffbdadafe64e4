/** People with browsers, members of a workspace of the test's own on a hosted server. */
import { env } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import { personObject } from '../../src/identity/objects.ts'
import { userIdOf } from '../../src/identity/people.ts'
import type { AccessLevel } from '../../src/identity/scopes.ts'
import { openSession } from '../../src/identity/session.ts'
import { Browser, type Page } from '../identity/sign-in/browser.ts'
import { callerOf } from '../operations/support.ts'

export interface Member {
  browser: Browser
  userId: string
  /** Opens a page of the workspace. */
  open(path?: string): Promise<Page>
  /** Sends a form of `page` to a path of the workspace. */
  send(page: Page, path: string, fields?: Record<string, string>): Promise<Page>
}

export interface Team {
  tenantId: string
  /** Calls operations as the workspace's owner does by HTTP. */
  run: ReturnType<typeof callerOf>
  member(name: string, level: AccessLevel): Promise<Member>
  /** Starts a sync and waits for its end. */
  sync(connection: string): Promise<number>
}

let n = 0

export function team(): Team {
  const tenantId = `pages-${++n}-${crypto.randomUUID().slice(0, 8)}`
  const run = callerOf(env, tenantId)
  const member = (name: string, level: AccessLevel) => memberOf(tenantId, name, level)
  const sync = async (connection: string) => {
    const { syncId } = await run('connections.sync', { connection })
    await vi.waitFor(
      async () => expect(await run('syncs.receipt', { sync: syncId })).toBeTruthy(),
      { timeout: 20_000, interval: 50 },
    )
    return Number(syncId)
  }
  return { tenantId, run, member, sync }
}

/** Somebody who signed in and is a member of the workspace. */
export async function memberOf(
  tenantId: string,
  name: string,
  level: AccessLevel,
): Promise<Member> {
  const profile = { issuer: 'https://id.example', subject: `${name}-${tenantId}`, name }
  const browser = new Browser().keep(await openSession(env, profile))
  const userId = await userIdOf(profile)
  await personObject(env, userId).join({ tenantId, name: `${tenantId} & co`, level })
  const at = (path: string) => `/w/${tenantId}${path}`
  return {
    ...{ browser, userId },
    open: (path = '') => browser.open(at(path)),
    send: (page, path, fields = {}) =>
      browser.submit(at(path), { form: formTokenOf(page), ...fields }),
  }
}

export const formTokenOf = ({ html }: Page) => /name="form" value="([^"]+)"/.exec(html)?.[1] ?? ''

/** What a reader of the page sees, more or less. */
export const textOf = ({ html }: Page) =>
  html
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('&amp;', '&')
