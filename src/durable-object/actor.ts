/** What SourceDO and DestinationDO share: a config whose secrets are sealed on entry. */
import { DurableObject } from 'cloudflare:workers'
import { AirbyteError, isObject, type JsonObject, type JsonSchema } from '../protocol/index.ts'
import type { Spec } from '../runtime/contract.ts'
import {
  createVault,
  mergeSecrets,
  missingSecrets,
  type SealedRecord,
  type SplitConfig,
  splitSecrets,
  textsOf,
  updateSecrets,
  type Vault,
  type VaultScope,
} from '../vault/index.ts'
import { migrate } from './migrations.ts'
import { withOperatorClient, withoutOperatorClient } from './operator-client.ts'
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
  /** Grows with each change of the config by a person; absent: 0. */
  edition?: number
  createdAt: number
  updatedAt: number
}

/** A config with its secrets, and which one of those that people have entered it is. */
export interface OpenedConfig {
  config: JsonObject
  edition: number
}

export abstract class ActorDO extends DurableObject<Env> {
  protected abstract readonly kind: 'source' | 'destination'
  /** Of a connector that is built in. */
  protected abstract builtInSpec(type: string): Spec

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
    return this.#inTurn(async () => {
      const stored = this.#stored()
      const next: Stored = { ...stored, name: name ?? stored.name, updatedAt: Date.now() }
      if (config) {
        const spec = this.#specOf(stored)
        const secrets = await this.#vault().open(this.#scope(stored), stored.sealed)
        const kept = pointsElsewhere(stored.visible, config) ? {} : secrets
        const after = updateSecrets(spec, { visible: stored.visible, secrets: kept }, config)
        next.visible = after.visible
        next.sealed = await this.#vault().seal(this.#scope(stored), after.secrets)
        next.edition = (stored.edition ?? 0) + 1
      }
      this.ctx.storage.transactionSync(() => {
        this.ctx.storage.kv.put('actor', next)
        if (config) this.configEntered()
      })
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
      const entered = mergeSecrets({ visible: stored.visible, secrets })
      const { type, release, edition = 0 } = stored
      const { config, secret } = release
        ? { config: entered }
        : withOperatorClient(this.env, type, this.builtInSpec(type), entered)
      const texts = [...textsOf(secrets), ...(secret === undefined ? [] : [secret])]
      return { type, connector: release?.pin, config, edition, secrets: texts }
    })
  }

  /** A person has changed the config: what was made of the old one goes, in the same transaction. */
  protected configEntered(): void {}

  /**
   * A change of the config by its connector. `change` gives null to leave everything as it is;
   * `alongside` writes in the same transaction.
   */
  protected rewrite(
    change: (spec: JsonSchema, stored: SplitConfig, edition: number) => SplitConfig | null,
    alongside: (edition: number) => void = () => {},
  ): Promise<boolean> {
    return this.#inTurn(async () => {
      const stored = this.#stored()
      const { edition = 0, visible } = stored
      const secrets = await this.#vault().open(this.#scope(stored), stored.sealed)
      const after = change(this.#specOf(stored), { visible, secrets }, edition)
      if (!after) return false
      const sealed = await this.#vault().seal(this.#scope(stored), after.secrets)
      this.ctx.storage.transactionSync(() => {
        // Not `updatedAt`: nobody has entered anything, and the catalog stays what it was.
        this.ctx.storage.kv.put('actor', { ...stored, visible: after.visible, sealed })
        alongside(edition)
      })
      return true
    })
  }

  /** A config that a run was given, as it is kept. */
  protected entered(config: JsonObject): JsonObject {
    const { type, release } = this.#stored()
    return release ? config : withoutOperatorClient(this.env, type, config)
  }

  protected async seal(name: string, secret: string): Promise<SealedRecord> {
    return this.#vault().seal(this.#scope(this.#stored()), { [name]: secret })
  }

  protected async unseal(name: string, sealed: SealedRecord): Promise<string> {
    const secrets = await this.#vault().open(this.#scope(this.#stored()), sealed)
    return String(secrets[name])
  }

  #turn: Promise<unknown> = Promise.resolve()

  /** One change at a time: each reads, opens, seals and writes. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => guarded(work))
    this.#turn = result.catch(() => {})
    return result
  }

  async adopt(release: ReleaseOfActor, keepSecrets: boolean): Promise<ActorRecord> {
    return this.#inTurn(async () => {
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
      next.edition = (stored.edition ?? 0) + 1
      this.ctx.storage.transactionSync(() => {
        this.ctx.storage.kv.put('actor', next)
        this.configEntered()
      })
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

  #record({ visible, sealed: _sealed, edition: _edition, release, ...rest }: Stored): ActorRecord {
    const missing = missingSecrets(this.#specOf({ ...rest, release }), visible)
    const status = missing.length > 0 ? 'awaiting_credentials' : 'active'
    const connector = release && { connector: release.pin }
    return { ...rest, ...connector, config: visible, status, missingSecrets: missing }
  }

  #specOf({ type, release }: { type: string; release?: ReleaseOfActor }): JsonSchema {
    return release?.spec ?? this.builtInSpec(type).connectionSpecification
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
const ADDRESS =
  /^(host|hostname|server|domain|endpoint|url|account|port|subdomain|shop|(api|base|instance)_url)$/

/** A change of address drops the stored secrets: whoever may edit a config must not send them elsewhere. */
function pointsElsewhere(before: JsonObject, change: JsonObject): boolean {
  return Object.entries(change).some(([name, value]) => {
    const old = before[name]
    if (isObject(value) && isObject(old)) return pointsElsewhere(old, value)
    return ADDRESS.test(name) && value !== old
  })
}
