import type { Context } from 'hono'
import { Hono } from 'hono'
import { currentPerson, membershipsOf } from '../../identity/session.ts'
import { signInConfig } from '../../identity/sign-in/config.ts'
import { ERROR_CODES } from '../../protocol/error-codes.ts'
import { AirbyteError, toAirbyteError } from '../../protocol/index.ts'
import { messagePage, SCRIPT_PATH } from '../pages/layout.tsx'
import { script } from '../pages/script.ts'
import { homePage, workspacesPage } from '../pages/workspace/home.tsx'
import { problemPage } from '../pages/workspace/problem.tsx'
import { readBody } from '../read-body.ts'
import { signInFirst } from '../sign-in.ts'
import { audit, createKey, keys, revokeKey } from './access.ts'
import { catalog } from './catalog.ts'
import { applyChanges, changes } from './changes.ts'
import {
  acceptEmpty,
  connection,
  dashboard,
  pause,
  resume,
  saveSettings,
  syncNow,
} from './connections.ts'
import { isOurs, judgeForm } from './forms.ts'
import { INVITATIONS, joinByInvitation, showInvitation } from './invitations.ts'
import { createConnection, newConnection, shapeConnection } from './make-connection.ts'
import { invite, members, remove, setLevel, withdraw } from './members.ts'
import { changeWebhook, createWebhook, notifications, replay } from './notifications.ts'
import {
  createResource,
  deleteResource,
  newResource,
  resource,
  saveResource,
  testResource,
} from './resource-form.ts'
import { check, credentials, resources } from './resources.ts'
import { columns, saveColumns, saveStreams, streams } from './streams.ts'
import { cancel, sync } from './syncs.ts'
import type { Handler, PageParams, PostHandler } from './types.ts'
import { visitOf } from './visit.ts'

const MAX_FORM_BYTES = 1024 * 1024

type PageContext = Context<{ Bindings: Env }>

/** Whether a path belongs to the pages of workspaces. */
export function isWorkspacePath(path: string): boolean {
  return (
    path === '/' || path === SCRIPT_PATH || path.startsWith('/w/') || path.startsWith(INVITATIONS)
  )
}

function createPages() {
  const app = new Hono<{ Bindings: Env }>()
  app.get('/', home)
  app.get(SCRIPT_PATH, () => script())
  app.get(`${INVITATIONS}:link`, (c) => showInvitation(c.req.raw, c.env, c.req.param('link')))
  app.post(`${INVITATIONS}:link`, (c) => joinByInvitation(c.req.raw, c.env, c.req.param('link')))
  app.get('/w/:workspace', show(dashboard))
  app.get('/w/:workspace/resources', show(resources))
  app.get('/w/:workspace/resources/:kind/new', show(catalog))
  app.get('/w/:workspace/resources/:kind/new/:type', show(newResource))
  app.get('/w/:workspace/resources/:kind/:id', show(resource))
  app.get('/w/:workspace/connections/new', show(newConnection))
  app.get('/w/:workspace/connections/:id', show(connection))
  app.get('/w/:workspace/connections/:id/streams', show(streams))
  app.get('/w/:workspace/connections/:id/columns', show(columns))
  app.get('/w/:workspace/connections/:id/changes', show(changes))
  app.get('/w/:workspace/syncs/:id', show(sync))
  app.get('/w/:workspace/notifications', show(notifications))
  app.get('/w/:workspace/members', show(members))
  app.get('/w/:workspace/keys', show(keys))
  app.get('/w/:workspace/audit', show(audit))

  app.post('/w/:workspace/connections/new', ask(shapeConnection))
  app.post('/w/:workspace/connections/create', act(createConnection))
  app.post('/w/:workspace/connections/:id/sync', act(syncNow))
  app.post('/w/:workspace/connections/:id/pause', act(pause))
  app.post('/w/:workspace/connections/:id/resume', act(resume))
  app.post('/w/:workspace/connections/:id/accept-empty', act(acceptEmpty))
  app.post('/w/:workspace/connections/:id/changes', act(applyChanges))
  app.post('/w/:workspace/connections/:id/settings', act(saveSettings))
  app.post('/w/:workspace/connections/:id/streams', act(saveStreams))
  app.post('/w/:workspace/connections/:id/columns', act(saveColumns))
  app.post('/w/:workspace/syncs/:id/cancel', act(cancel))
  app.post('/w/:workspace/resources/:kind/new/:type', act(createResource))
  app.post('/w/:workspace/resources/:kind/:id', act(saveResource))
  app.post('/w/:workspace/resources/:kind/:id/test', act(testResource))
  app.post('/w/:workspace/resources/:kind/:id/delete', act(deleteResource))
  app.post('/w/:workspace/resources/:kind/:id/credentials', act(credentials))
  app.post('/w/:workspace/resources/:kind/:id/check', act(check))
  app.post('/w/:workspace/notifications/create', act(createWebhook))
  app.post('/w/:workspace/notifications/change', act(changeWebhook))
  app.post('/w/:workspace/notifications/replay', act(replay))
  app.post('/w/:workspace/members/invite', act(invite))
  app.post('/w/:workspace/members/withdraw', act(withdraw))
  app.post('/w/:workspace/members/level', act(setLevel))
  app.post('/w/:workspace/members/remove', act(remove))
  app.post('/w/:workspace/keys/create', act(createKey))
  app.post('/w/:workspace/keys/revoke', act(revokeKey))
  app.notFound(() => nothingHere())
  // On to the router, which logs it and answers.
  app.onError((error) => {
    throw error
  })
  return app
}

let pages: ReturnType<typeof createPages> | undefined

/** The pages where people see and steer what a workspace has. */
export function handleWorkspace(request: Request, env: Env): Promise<Response> | Response {
  pages ??= createPages()
  return pages.fetch(request, env)
}

/** What there is: `GET /w/:workspace/members`. */
export function workspaceRoutes(): string[] {
  pages ??= createPages()
  return [...new Set(pages.routes.map(({ method, path }) => `${method} ${path}`))]
}

/** To the workspace, if there is but one; else a choice. */
async function home(c: PageContext): Promise<Response> {
  const person = await currentPerson(c.req.raw, c.env)
  if (!person) {
    const canSignIn = signInConfig(c.env).providers.length > 0
    return homePage(new URL(c.req.url).origin, canSignIn)
  }
  const memberships = await membershipsOf(person, c.env)
  const [only, another] = memberships
  return only && !another
    ? seeOther(`/w/${only.tenantId}`)
    : workspacesPage(person.name, memberships)
}

function show(handler: Handler) {
  return async (c: PageContext): Promise<Response> => {
    const visit = await visitOf(c.req.raw, c.env, c.req.param('workspace') ?? '')
    if (visit === 'nobody') return signInFirst(c.req.raw, c.env)
    if (visit === 'stranger') return nothingHere()
    try {
      return await handler(visit, paramsOf(c))
    } catch (error) {
      return refusal(error, (known) => problemPage(visit, known, ERROR_CODES[known.code].status))
    }
  }
}

/** Takes a form once, and leads to the page that shows what came of it. */
const act = (handler: PostHandler) => taking(handler, judgeForm)

/** Takes a form that asks and changes nothing: it may be sent again, by going back for instance. */
const ask = (handler: PostHandler) =>
  taking(handler, async (request, _env, owner, token) =>
    isOurs(request, owner, token) ? 'accepted' : 'refused',
  )

function taking(handler: PostHandler, judge: typeof judgeForm) {
  return async (c: PageContext): Promise<Response> => {
    const visit = await visitOf(c.req.raw, c.env, c.req.param('workspace') ?? '')
    if (visit === 'nobody') return signInFirst(c.req.raw, c.env)
    if (visit === 'stranger') return nothingHere()
    try {
      const form = new URLSearchParams(await readBody(c.req.raw, MAX_FORM_BYTES))
      const owner = { userId: visit.person.userId, subject: visit.workspace.tenantId }
      const verdict = await judge(c.req.raw, c.env, owner, form.get('form') ?? '')
      if (verdict === 'refused') throw notOurs()
      if (verdict === 'sent_before') throw sentBefore()
      const answer = await handler(visit, paramsOf(c), form)
      return typeof answer === 'string' ? seeOther(answer) : answer
    } catch (error) {
      return refusal(error, (known) => problemPage(visit, known, ERROR_CODES[known.code].status))
    }
  }
}

function paramsOf(c: PageContext): PageParams {
  const { id = '', kind = '', type = '' } = c.req.param() as Record<string, string>
  return { id, kind, type, query: new URL(c.req.url).searchParams }
}

/** What is no error of ours goes on to the router, which logs it. */
function refusal(error: unknown, answer: (known: AirbyteError) => Response): Response {
  const known = toAirbyteError(error)
  if (known.code === 'INTERNAL') throw error
  return answer(known)
}

const notOurs = () =>
  new AirbyteError('FORBIDDEN', 'This form was not accepted: nothing was changed.', {
    hint: 'Open the page again and use the form there. Cookies must be allowed.',
  })

const sentBefore = () =>
  new AirbyteError('CONFLICT', 'This form was sent already: it counted once.', {
    hint: 'Open the page again to see how things stand.',
  })

function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location, 'cache-control': 'no-store' } })
}

function nothingHere(): Response {
  return messagePage('Not found', 'There is nothing at this address.', { status: 404 })
}
