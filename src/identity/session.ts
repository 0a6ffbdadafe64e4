import { personObject, workspaceObject } from './objects.ts'
import { isLocal } from './origin.ts'
import { type Membership, type Person, type Profile, userIdOf } from './people.ts'

const COOKIE = '__Host-airbyte-session'

/** The one person of local mode. */
export const LOCAL_PERSON: Person = { userId: 'local', name: 'you, on this machine' }
export const LOCAL_WORKSPACE: Membership = { tenantId: 'local', name: 'local', level: 'owner' }

/** Who is at the browser: the session's person, the local one, or null if nobody signed in. */
export async function currentPerson(request: Request, env: Env): Promise<Person | null> {
  if (isLocal(new URL(request.url), env)) return LOCAL_PERSON
  const session = sessionOf(request)
  if (!session) return null
  const name = await personObject(env, session.userId).session(session.secret)
  return name === null ? null : { userId: session.userId, name }
}

export async function membershipsOf(person: Person, env: Env): Promise<Membership[]> {
  if (person.userId === LOCAL_PERSON.userId) return [LOCAL_WORKSPACE]
  return personObject(env, person.userId).memberships()
}

/**
 * Signs a person in after an identity provider vouched for them; answers the `Set-Cookie` value.
 * This is all that a provider (GitHub, an OIDC issuer) has to call.
 *
 * @example
 * const cookie = await openSession(env, { issuer: 'https://github.com', subject: '1', name: 'Ann' })
 */
export async function openSession(env: Env, profile: Profile): Promise<string> {
  const userId = await userIdOf(profile)
  const person = personObject(env, userId)
  const secret = await person.signIn(profile.name)
  // Their workspaces show them by the name that they have now.
  await Promise.all(
    (await person.memberships()).map(({ tenantId, level }) =>
      workspaceObject(env, tenantId).noteMember({ userId, name: profile.name, level }),
    ),
  )
  return `${COOKIE}=${userId}.${secret}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=604800`
}

/** Signs out in this browser; answers the `Set-Cookie` value that removes the cookie. */
export async function closeSession(request: Request, env: Env): Promise<string> {
  const session = sessionOf(request)
  if (session) await personObject(env, session.userId).signOut(session.secret)
  return `${COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`
}

/** Only ids that `userIdOf` makes: other names would wake objects that nobody has. */
function sessionOf(request: Request): { userId: string; secret: string } | null {
  const [, userId, secret] =
    /^(u[0-9a-f]{32})\.([\w-]{43})$/.exec(readCookie(request, COOKIE) ?? '') ?? []
  return userId && secret ? { userId, secret } : null
}

export function readCookie(request: Request, name: string): string | null {
  const cookies = (request.headers.get('cookie') ?? '').split(';')
  const found = cookies.map((c) => c.trim()).find((c) => c.startsWith(`${name}=`))
  return found ? found.slice(name.length + 1) : null
}
