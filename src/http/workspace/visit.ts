import { operationById } from '../../../tools/index.ts'
import { originOf } from '../../identity/origin.ts'
import type { Membership, Person } from '../../identity/people.ts'
import { ACCESS_LEVELS, type Scope } from '../../identity/scopes.ts'
import { currentPerson, LOCAL_PERSON, membershipsOf } from '../../identity/session.ts'
import { createOperationContext } from '../../operations/context.ts'
import type { OperationContext } from '../../operations/define.ts'
import { invokeOperation } from '../../operations/invoke.ts'
import { sealForms } from './forms.ts'

/** One person at one page of one workspace. */
export interface Visit {
  person: Person
  isLocal: boolean
  workspace: Membership
  /** All workspaces of the person. */
  memberships: Membership[]
  /** Path of the workspace's pages, `/w/<id>`. */
  base: string
  path: string
  origin: string
  ctx: OperationContext
  /** For the hidden field `form` of every form. */
  formToken: string
  /** Cookies that go with the answer. */
  headers: Headers
  can(scope: Scope): boolean
  /** Calls an operation as the person: validated, authorised, audited and scrubbed as on every face. */
  run<T = unknown>(operationId: string, input?: object): Promise<T>
}

/** Why there is no visit: nobody is signed in, or the person is no member there (any more). */
export type NoVisit = 'nobody' | 'stranger'

/** The membership is looked up at each request: a right that ends takes the pages with it. */
export async function visitOf(
  request: Request,
  env: Env,
  tenantId: string,
): Promise<Visit | NoVisit> {
  const person = await currentPerson(request, env)
  if (!person) return 'nobody'
  const memberships = await membershipsOf(person, env)
  const workspace = memberships.find((membership) => membership.tenantId === tenantId)
  if (!workspace) return 'stranger'
  const url = new URL(request.url)
  const origin = originOf(url, env)
  const { scopes, role } = ACCESS_LEVELS[workspace.level]
  const caller = { subject: person.userId, kind: 'oauth' as const, scopes, role, clientId: 'pages' }
  const ctx = createOperationContext(env, {
    ...{ tenantId, caller, face: 'page', signal: request.signal, publicUrl: origin },
  })
  const { token, cookie } = await sealForms(request, { userId: person.userId, subject: tenantId })
  return {
    ...{ person, workspace, memberships, origin, ctx },
    isLocal: person === LOCAL_PERSON,
    base: `/w/${tenantId}`,
    path: url.pathname,
    formToken: token,
    headers: new Headers(cookie ? { 'set-cookie': cookie } : {}),
    can: (scope) => (scopes as readonly Scope[]).includes(scope),
    run: async <T>(id: string, input: object = {}) => {
      const operation = operationById(id)
      if (!operation) throw new Error(`no operation ${id}`)
      return (await invokeOperation(operation, ctx, input)) as T
    },
  }
}
