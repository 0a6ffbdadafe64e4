import { equalSecrets, randomText, sha256 } from './crypto.ts'
import type { AccessLevel } from './scopes.ts'

const INVITATION_MS = 7 * 86_400_000

export interface Member {
  userId: string
  name: string
  level: AccessLevel
  joinedAt: number
}

/** An invitation without its secret. Times are epoch milliseconds. */
export interface Invitation {
  id: string
  level: AccessLevel
  /** For whom, as the inviter calls them. */
  note: string
  /** Name of the workspace and of who invites, for the page. */
  workspace: string
  invitedBy: string
  createdAt: number
  expiresAt: number
}

export type NewInvitation = Pick<Invitation, 'level' | 'note' | 'workspace' | 'invitedBy'>

/** What came of a change: there must always be an owner. */
export type MemberChange = 'done' | 'unknown' | 'last_owner'

export const MEMBERS_SCHEMA = `
  create table members (
    user_id text primary key, name text not null, level text not null, joined_at integer not null
  ) without rowid;
  create table invitations (
    id text primary key,
    hash text not null,
    level text not null,
    note text not null,
    workspace text not null,
    invited_by text not null,
    created_at integer not null,
    expires_at integer not null,
    accepted_by text
  ) without rowid;
`

interface MemberRow extends Record<string, SqlStorageValue> {
  user_id: string
  name: string
  level: AccessLevel
  joined_at: number
}

interface InvitationRow extends Record<string, SqlStorageValue> {
  id: string
  hash: string
  level: AccessLevel
  note: string
  workspace: string
  invited_by: string
  created_at: number
  expires_at: number
  accepted_by: string | null
}

/**
 * Who is a member of one workspace, for lists and for the rule that an owner stays. What counts at
 * a call is what each person's own object says; the two are changed together.
 */
export class Members {
  private readonly sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.sql = sql
  }

  list(): Member[] {
    return this.sql
      .exec<MemberRow>('select * from members order by joined_at, user_id')
      .toArray()
      .map(({ user_id: userId, joined_at: joinedAt, name, level }) => ({
        ...{ userId, name, level, joinedAt },
      }))
  }

  /** Adds a member, or brings name and level up to date. */
  note({ userId, name, level }: Omit<Member, 'joinedAt'>): void {
    this.sql.exec(
      `insert into members values (?1, ?2, ?3, ?4)
       on conflict (user_id) do update set name = ?2, level = ?3`,
      ...[userId, name, level, Date.now()],
    )
  }

  setLevel(userId: string, level: AccessLevel): MemberChange {
    const member = this.get(userId)
    if (!member) return 'unknown'
    if (level !== 'owner' && this.isLastOwner(member)) return 'last_owner'
    this.sql.exec('update members set level = ? where user_id = ?', level, userId)
    return 'done'
  }

  remove(userId: string): MemberChange {
    const member = this.get(userId)
    if (!member) return 'unknown'
    if (this.isLastOwner(member)) return 'last_owner'
    this.sql.exec('delete from members where user_id = ?', userId)
    // Else the link that let them in would let them in again.
    this.sql.exec('delete from invitations where accepted_by = ?', userId)
    return 'done'
  }

  /** `secret` is seen only here. */
  async invite(invitation: NewInvitation): Promise<{ secret: string; invitation: Invitation }> {
    const now = Date.now()
    const id = randomText(9)
    const secret = randomText()
    const { level, note, workspace, invitedBy } = invitation
    this.sql.exec('delete from invitations where expires_at < ?', now)
    this.sql.exec(
      'insert into invitations values (?, ?, ?, ?, ?, ?, ?, ?, null)',
      ...[id, await sha256(secret), level, note, workspace, invitedBy, now, now + INVITATION_MS],
    )
    const expiresAt = now + INVITATION_MS
    return { secret, invitation: { id, ...invitation, createdAt: now, expiresAt } }
  }

  /** Those that can still be accepted. */
  invitations(): Invitation[] {
    return this.sql
      .exec<InvitationRow>(
        'select * from invitations where accepted_by is null and expires_at > ? order by created_at',
        Date.now(),
      )
      .toArray()
      .map(toInvitation)
  }

  withdraw(id: string): boolean {
    const open = 'delete from invitations where id = ? and accepted_by is null'
    return this.sql.exec(open, id).rowsWritten > 0
  }

  /** The open invitation that a link means, or one that this person accepted already. */
  async find(id: string, secret: string, userId: string): Promise<Invitation | null> {
    const hash = await sha256(secret)
    const [row] = this.sql
      .exec<InvitationRow>('select * from invitations where id = ?', id)
      .toArray()
    if (!row || !equalSecrets(row.hash, hash) || row.expires_at <= Date.now()) return null
    return row.accepted_by === null || row.accepted_by === userId ? toInvitation(row) : null
  }

  /** Of several people one gets in. Again by the same one, it is the same as before. */
  accept(id: string, { userId, name }: { userId: string; name: string }): Invitation | null {
    const [row] = this.sql
      .exec<InvitationRow>(
        `update invitations set accepted_by = ?1
         where id = ?2 and expires_at > ?3 and (accepted_by is null or accepted_by = ?1)
         returning *`,
        ...[userId, id, Date.now()],
      )
      .toArray()
    if (!row) return null
    if (!this.get(userId)) this.note({ userId, name, level: row.level })
    return toInvitation(row)
  }

  private get(userId: string): MemberRow | undefined {
    return this.sql.exec<MemberRow>('select * from members where user_id = ?', userId).toArray()[0]
  }

  private isLastOwner({ level }: MemberRow): boolean {
    if (level !== 'owner') return false
    const owners = `select count(*) as n from members where level = 'owner'`
    return this.sql.exec<{ n: number }>(owners).one().n === 1
  }
}

const toInvitation = (row: InvitationRow): Invitation => ({
  ...{ id: row.id, level: row.level, note: row.note, workspace: row.workspace },
  ...{ invitedBy: row.invited_by, createdAt: row.created_at, expiresAt: row.expires_at },
})
