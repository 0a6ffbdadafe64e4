import { DurableObject } from 'cloudflare:workers'
import { v7 as uuidv7 } from 'uuid'
import { migrate } from '../durable-object/migrations.ts'
import type { SetupRequest } from '../http/setup-contract.ts'
import { API_KEYS_SCHEMA, ApiKeys, type NewApiKey } from './api-keys.ts'
import { MEMBERS_SCHEMA, type Member, Members, type NewInvitation } from './members.ts'
import { type Membership, PEOPLE_SCHEMA, People, USED_FORMS_SCHEMA } from './people.ts'
import type { AccessLevel } from './scopes.ts'
import { SETUPS_SCHEMA, Setups } from './setups.ts'

const MIGRATIONS = [
  PEOPLE_SCHEMA,
  API_KEYS_SCHEMA,
  SETUPS_SCHEMA,
  USED_FORMS_SCHEMA,
  MEMBERS_SCHEMA,
]

/**
 * Who may do what. An object named `person:<user id>` knows a person's workspaces and browser
 * sessions; one named `workspace:<tenant id>` its API keys and setup links. Reach them through
 * `personObject` and `workspaceObject`.
 */
export class IdentityDO extends DurableObject<Env> {
  private readonly people: People
  private readonly keys: ApiKeys
  private readonly setups: Setups
  private readonly members: Members

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    migrate(ctx.storage, MIGRATIONS)
    this.people = new People(ctx.storage.sql)
    this.keys = new ApiKeys(ctx.storage.sql)
    this.setups = new Setups(ctx.storage.sql)
    this.members = new Members(ctx.storage.sql)
  }

  // ---- person

  /** After the issuer vouched: opens a session. The first time, the person gets a workspace. */
  async signIn(name: string): Promise<string> {
    this.people.setName(name)
    if (this.people.memberships().length === 0) {
      this.people.join({ tenantId: uuidv7(), name: `${name}'s workspace`, level: 'owner' })
    }
    return this.people.openSession()
  }

  /** The person's name if the session is theirs and alive. */
  async session(secret: string): Promise<string | null> {
    return (await this.people.hasSession(secret)) ? (this.people.name() ?? '') : null
  }

  signOut(secret: string): Promise<void> {
    return this.people.closeSession(secret)
  }

  /** Uses a form up; false if it was sent before. */
  useForm(nonce: string, expires: number): boolean {
    return this.people.useForm(nonce, expires)
  }

  memberships(): Membership[] {
    return this.people.memberships()
  }

  /** What the person may do there; null: not a member (any more). */
  levelIn(tenantId: string): AccessLevel | null {
    return this.people.memberships().find((m) => m.tenantId === tenantId)?.level ?? null
  }

  join(membership: Membership): void {
    this.people.join(membership)
  }

  /** True if the person was a member. */
  leave(tenantId: string): boolean {
    return this.people.leave(tenantId)
  }

  // ---- workspace

  createKey(tenantId: string, key: NewApiKey) {
    return this.keys.create(tenantId, key)
  }

  listKeys() {
    return this.keys.list()
  }

  revokeKey(id: string): boolean {
    return this.keys.revoke(id)
  }

  listMembers() {
    return this.members.list()
  }

  noteMember(member: Omit<Member, 'joinedAt'>): void {
    this.members.note(member)
  }

  /** The member's API keys keep no more than the new level has. */
  setMemberLevel(userId: string, level: AccessLevel) {
    const change = this.members.setLevel(userId, level)
    if (change === 'done') this.keys.narrow(userId, level)
    return change
  }

  /** With the member's API keys. */
  dropMember(userId: string) {
    const change = this.members.remove(userId)
    if (change !== 'last_owner') this.keys.revokeAllOf(userId)
    return change
  }

  invite(invitation: NewInvitation) {
    return this.members.invite(invitation)
  }

  listInvitations() {
    return this.members.invitations()
  }

  withdrawInvitation(id: string): boolean {
    return this.members.withdraw(id)
  }

  findInvitation(id: string, secret: string, userId: string) {
    return this.members.find(id, secret, userId)
  }

  acceptInvitation(id: string, person: { userId: string; name: string }) {
    return this.members.accept(id, person)
  }

  verifyKey(id: string, secret: string) {
    return this.keys.verify(id, secret)
  }

  createSetup(request: SetupRequest) {
    return this.setups.create(request)
  }

  getSetup(setupId: string) {
    return this.setups.get(setupId)
  }

  completeSetup(setupId: string): boolean {
    return this.setups.complete(setupId)
  }

  reopenSetup(setupId: string): void {
    this.setups.reopen(setupId)
  }
}
