import { equalSecrets, randomText, seconds, sha256 } from './crypto.ts'
import type { AccessLevel } from './scopes.ts'

const SESSION_SECONDS = 7 * 86_400

/** Who signed in, as the issuer names them. */
export interface Profile {
  /** `https://github.com`, an OIDC issuer, or `local`. */
  issuer: string
  /** The issuer's immutable id of the person. */
  subject: string
  /** For display. */
  name: string
}

export interface Person {
  userId: string
  name: string
}

export interface Membership {
  tenantId: string
  /** The workspace's display name. */
  name: string
  level: AccessLevel
}

/** The id of a person: stable, without `:`, and without saying who it is. */
export async function userIdOf({ issuer, subject }: Pick<Profile, 'issuer' | 'subject'>) {
  return `u${(await sha256(`${issuer}\n${subject}`)).slice(0, 32)}`
}

export const PEOPLE_SCHEMA = `
  create table profile (one integer primary key check (one = 1), name text not null) without rowid;
  create table memberships (
    tenant text primary key, name text not null, level text not null
  ) without rowid;
  create table sessions (hash text primary key, expires integer not null) without rowid;
`

export const USED_FORMS_SCHEMA = `
  create table used_forms (nonce text primary key, expires integer not null) without rowid;
`

/** One person: where they are a member, and the browsers they are signed in with. */
export class People {
  private readonly sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.sql = sql
  }

  setName(name: string): void {
    this.sql.exec('insert or replace into profile values (1, ?)', name)
  }

  name(): string | null {
    const [row] = this.sql.exec<{ name: string }>('select name from profile').toArray()
    return row?.name ?? null
  }

  join({ tenantId, name, level }: Membership): void {
    this.sql.exec('insert or replace into memberships values (?, ?, ?)', tenantId, name, level)
  }

  /** True if the person was a member. */
  leave(tenantId: string): boolean {
    return this.sql.exec('delete from memberships where tenant = ?', tenantId).rowsWritten > 0
  }

  memberships(): Membership[] {
    return this.sql
      .exec<{ tenant: string; name: string; level: AccessLevel }>(
        'select tenant, name, level from memberships order by name',
      )
      .toArray()
      .map(({ tenant, name, level }) => ({ tenantId: tenant, name, level }))
  }

  /** Opens a browser session; returns its secret, which is kept as a hash only. */
  async openSession(): Promise<string> {
    const secret = randomText()
    this.sql.exec('delete from sessions where expires <= ?', seconds())
    this.sql.exec(
      'insert into sessions values (?, ?)',
      await sha256(secret),
      seconds() + SESSION_SECONDS,
    )
    return secret
  }

  async hasSession(secret: string): Promise<boolean> {
    const hash = await sha256(secret)
    return this.sql
      .exec<{ hash: string }>(
        'select hash from sessions where hash = ? and expires > ?',
        hash,
        seconds(),
      )
      .toArray()
      .some((row) => equalSecrets(row.hash, hash))
  }

  /** True the first time that a form with this nonce is sent. */
  useForm(nonce: string, expires: number): boolean {
    this.sql.exec('delete from used_forms where expires <= ?', seconds())
    return (
      this.sql.exec('insert or ignore into used_forms values (?, ?)', nonce, expires).rowsWritten >
      0
    )
  }

  async closeSession(secret: string): Promise<void> {
    this.sql.exec('delete from sessions where hash = ?', await sha256(secret))
  }
}
