/** What SourceDO and DestinationDO share: a config whose secrets are sealed on entry. */
import { DurableObject } from 'cloudflare:workers'
import {
  AirbyteError,
  type JsonObject,
  type JsonSchema,
  type JsonValue,
} from '../protocol/index.ts'
import {
  createVault,
  mergeSecrets,
  missingSecrets,
  type SealedRecord,
  splitSecrets,
  updateSecrets,
  type Vault,
  type VaultScope,
} from '../vault/index.ts'
import { migrate } from './migrations.ts'
import type { ActorCreate, ActorRecord, ActorSecrets, ReleaseOfActor } from './rpc.ts'
import { guarded } from './rpc-guard.ts'

interface Stored {
  id: string
  tenantId: string
  name: string
  type: string
  release?: ReleaseOfActor
  visible: JsonObject
  sealed: SealedRecord
  createdAt: number
  updatedAt: number
}

export abstract class ActorDO extends DurableObject<Env> {
  protected abstract readonly kind: 'source' | 'destination'
  /** Of a connector that is built in. */
  protected abstract specOf(type: string): JsonSchema

  constructor(ctx: DurableObjectState, env: Env, migrations: readonly string[]) {
    super(ctx, env)
    migrate(ctx.storage, migrations)
  }

  async create(input: ActorCreate): Promise<ActorRecord> {
    return guarded(async () => {
      const { tenantId, id, name, type, release } = input
      const { visible, secrets } = splitSecrets(this.#specOf(input), input.config)
      const now = Date.now()
      const sealed = await this.#vault().seal(this.#scope(input), secrets)
      const named = { id, tenantId, name, type, ...(release && { release }) }
      const stored = { ...named, visible, sealed, createdAt: now, updatedAt: now }
      this.ctx.storage.kv.put('actor', stored satisfies Stored)
      return this.#record(stored)
    })
  }

  async get(): Promise<ActorRecord> {
    return guarded(() => this.#record(this.#stored()))
  }

  async update({ name, config }: { name?: string; config?: JsonObject }): Promise<ActorRecord> {
    return guarded(async () => {
      const stored = this.#stored()
      const next: Stored = { ...stored, name: name ?? stored.name, updatedAt: Date.now() }
      if (config) {
        const spec = this.#specOf(stored)
        const secrets = await this.#vault().open(this.#scope(stored), stored.sealed)
        const kept = pointsElsewhere(stored.visible, config) ? {} : secrets
        const after = updateSecrets(spec, { visible: stored.visible, secrets: kept }, config)
        next.visible = after.visible
        next.sealed = await this.#vault().seal(this.#scope(stored), after.secrets)
      }
      this.ctx.storage.kv.put('actor', next)
      return this.#record(next)
    })
  }

  async open(): Promise<ActorSecrets> {
    return guarded(async () => {
      const stored = this.#stored()
      const missing = this.#record(stored).missingSecrets
      if (missing.length > 0) {
        const fields = missing.map((field) => `config.${field}`)
        const message = `The ${this.kind} '${stored.name}' still lacks ${fields.join(', ')}.`
        throw new AirbyteError('AWAITING_CREDENTIALS', message, { field: fields[0] })
      }
      const secrets = await this.#vault().open(this.#scope(stored), stored.sealed)
      const config = mergeSecrets({ visible: stored.visible, secrets })
      const { type, release } = stored
      return { type, connector: release?.pin, config, secrets: textsOf(secrets) }
    })
  }

  async adopt(release: ReleaseOfActor, keepSecrets: boolean): Promise<ActorRecord> {
    return guarded(async () => {
      const stored = this.#stored()
      const { name, visible } = stored
      if (stored.release?.pin.connectorId !== release.pin.connectorId) {
        throw new AirbyteError('CONFLICT', `The ${this.kind} '${name}' has another connector.`)
      }
      const sealed = await this.#vault().open(this.#scope(stored), stored.sealed)
      const secrets = keepSecrets ? sealed : {}
      // What was secret stays so, whatever the new form says.
      const after = updateSecrets(release.spec, { visible, secrets }, {})
      const next: Stored = { ...stored, release, visible: after.visible, updatedAt: Date.now() }
      next.sealed = await this.#vault().seal(this.#scope(stored), after.secrets)
      this.ctx.storage.kv.put('actor', next)
      return this.#record(next)
    })
  }

  async destroy(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }

  #stored(): Stored {
    const stored = this.ctx.storage.kv.get<Stored>('actor')
    if (!stored) throw new AirbyteError('NOT_FOUND', `There is no such ${this.kind}.`)
    return stored
  }

  #record({ visible, sealed: _sealed, release, ...rest }: Stored): ActorRecord {
    const missing = missingSecrets(this.#specOf({ ...rest, release }), visible)
    const status = missing.length > 0 ? 'awaiting_credentials' : 'active'
    const connector = release && { connector: release.pin }
    return { ...rest, ...connector, config: visible, status, missingSecrets: missing }
  }

  #specOf({ type, release }: { type: string; release?: ReleaseOfActor }): JsonSchema {
    return release?.spec ?? this.specOf(type)
  }

  #scope({ tenantId, id }: { tenantId: string; id: string }): VaultScope {
    return { tenantId, entity: `${this.kind}:${id}` }
  }

  #vault(): Vault {
    const { ENCRYPTION_KEYS: keys } = this.env as { ENCRYPTION_KEYS?: string }
    return createVault({ keys, localMode: this.env.LOCAL_MODE === 'on' })
  }
}

/** Fields that say where a credential is sent. */
const ADDRESS = /^(host|hostname|server|domain|endpoint|url|base_url|account|port)$/

/** A change of address drops the stored secrets: whoever may edit a config must not send them elsewhere. */
function pointsElsewhere(before: JsonObject, change: JsonObject): boolean {
  return Object.entries(change).some(([name, value]) => {
    const old = before[name]
    if (isObject(value) && isObject(old)) return pointsElsewhere(old, value)
    return ADDRESS.test(name) && value !== old
  })
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textsOf = (value: JsonValue): string[] => {
  if (typeof value === 'string') return [value]
  if (value === null || typeof value !== 'object') return []
  return Object.values(value).flatMap(textsOf)
}
