import { personObject } from './objects.ts'
import { isLocal } from './origin.ts'
import { type Membership, type Person, type Profile, userIdOf } from './people.ts'

const COOKIE = '__Host-airbyte-session'

/** The one person of local mode. */
export const LOCAL_PERSON: Person = { userId: 'local', name: 'you, on this machine' }
export const LOCAL_WORKSPACE: Membership = { tenantId: 'local', name: 'local', level: 'owner' }

/** Who is at the browser: the session's person, the local one, or null if nobody signed in. */
export async function currentPerson(request: Request, env: Env): Promise<Person | null> {
  if (isLocal(new URL(request.url), env)) return LOCAL_PERSON
  const [userId, secret] = (readCookie(request, COOKIE) ?? '').split('.')
  if (!userId || !secret) return null
  const name = await personObject(env, userId).session(secret)
  return name === null ? null : { userId, name }
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
  const secret = await personObject(env, userId).signIn(profile.name)
  return `${COOKIE}=${userId}.${secret}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=604800`
}

export function readCookie(request: Request, name: string): string | null {
  const cookies = (request.headers.get('cookie') ?? '').split(';')
  const found = cookies.map((c) => c.trim()).find((c) => c.startsWith(`${name}=`))
  return found ? found.slice(name.length + 1) : null
}
