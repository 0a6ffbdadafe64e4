import { createHash } from 'node:crypto'
import { faultPoint } from '../core/fault-points.ts'
import { AirbyteError, isPacked, toAirbyteError } from '../protocol/index.ts'
import type { RefreshedToken, Token, TokenRefresh } from '../runtime/contract.ts'
import { isAnswerLost } from '../runtime/lost-answer.ts'
import type { OpenedConfig } from './actor.ts'

export const TOKEN_TABLE = `create table tokens (
  key text primary key, sealed text, expires_at integer not null default 0,
  asked integer not null default 0, not_before integer not null default 0)`

interface Row {
  /** The token, sealed; null when it is not valid any more or never was. */
  sealed: string | null
  expires_at: number
  /** A refresh was begun, and its answer has not come. */
  asked: number
  /** The endpoint must not be asked before, epoch milliseconds. */
  not_before: number
}

/** What the keeper needs of the object whose tokens it keeps. */
export interface TokenVault {
  open(): Promise<OpenedConfig>
  seal(token: string): Promise<string>
  unseal(sealed: string): Promise<string>
  /**
   * Writes the changes into the config, and in the same transaction what `alongside` writes. Null
   * when somebody else has changed those very values since `given`: then nothing is written.
   */
  change(
    changes: NonNullable<RefreshedToken['changes']>,
    given: OpenedConfig['config'],
    alongside: (edition: number) => void,
  ): Promise<boolean>
}

/**
 * The tokens of one source, each refreshed by one caller at a time. A refresh runs at the caller;
 * that it was begun, and what came of it, is written here before and after, so that neither a death
 * of the caller nor one of this object goes unnoticed.
 */
export class TokenKeeper {
  readonly #sql: SqlStorage
  readonly #vault: TokenVault
  readonly #flights = new Map<string, Promise<Token>>()

  constructor(sql: SqlStorage, vault: TokenVault) {
    this.#sql = sql
    this.#vault = vault
  }

  async token(name: string, refresh: TokenRefresh, stale?: string): Promise<Token> {
    const key = keyOf(name)
    for (;;) {
      const flight = this.#flights.get(key)
      if (!flight) break
      const outcome = await flight.catch((error: unknown) => {
        if (!isCallerLost(error)) throw error
        return undefined
      })
      // Whoever refreshed has died in the middle: now it is our turn.
      if (outcome) return outcome
    }
    const own = this.#obtain(key, refresh, stale).finally(() => this.#flights.delete(key))
    this.#flights.set(key, own)
    return own
  }

  /** What a refresh brought whose caller could not hand it over in time. */
  async keep(name: string, fresh: RefreshedToken, given: OpenedConfig): Promise<Token> {
    const key = keyOf(name)
    const row = this.#row(key)
    if (row.asked === 1) return (await this.#keep(key, fresh, given)) ?? fresh
    return (await this.#valid(row)) ?? fresh
  }

  /** Credentials changed: no token that came of the old ones is of use. */
  forget(): void {
    this.#sql.exec('delete from tokens')
  }

  async #obtain(key: string, refresh: TokenRefresh, stale?: string): Promise<Token> {
    for (;;) {
      const row = this.#row(key)
      const known = await this.#valid(row)
      if (known && known.value !== stale) return known
      if (row.not_before > Date.now()) throw notBefore(row.not_before)
      const given = await this.#vault.open()
      this.#save(key, { ...row, asked: 1 })
      await faultPoint('token.asked')
      const state = { config: given.config, uncertain: row.asked === 1 }
      const fresh = await refresh({ ...state, ...(stale === undefined ? {} : { stale }) }).catch(
        (error: unknown) => {
          this.#failed(key, row, error)
          throw error
        },
      )
      await faultPoint('token.answered')
      const kept = await this.#keep(key, fresh, given)
      if (kept) return kept
    }
  }

  /** Null when the credentials were entered anew meanwhile: these tokens are of the old ones. */
  async #keep(key: string, fresh: RefreshedToken, given: OpenedConfig): Promise<Token | null> {
    const { value, expiresAt, changes = [] } = fresh
    const sealed = await this.#vault.seal(value)
    const kept = await this.#vault.change(changes, given.config, (edition) => {
      const isCurrent = changes.length > 0 || edition === given.edition
      const row = { sealed: isCurrent ? sealed : null, expires_at: expiresAt }
      this.#save(key, { ...row, asked: 0, not_before: 0 })
    })
    await faultPoint('token.kept')
    return kept ? { value, expiresAt } : null
  }

  #failed(key: string, before: Row, error: unknown): void {
    if (isCallerLost(error) || isAnswerLost(error)) return
    const { retryAt = 0 } = toAirbyteError(error)
    this.#save(key, { ...before, not_before: retryAt })
  }

  async #valid({ sealed, expires_at: expiresAt }: Row): Promise<Token | undefined> {
    if (sealed === null || expiresAt <= Date.now()) return undefined
    return { value: await this.#vault.unseal(sealed), expiresAt }
  }

  #row(key: string): Row {
    const [row] = this.#sql.exec('select * from tokens where key = ?', key).toArray()
    return (row as Row | undefined) ?? { sealed: null, expires_at: 0, asked: 0, not_before: 0 }
  }

  #save(key: string, { sealed, expires_at, asked, not_before }: Row): void {
    this.#sql.exec(
      'insert or replace into tokens (key, sealed, expires_at, asked, not_before) values (?, ?, ?, ?, ?)',
      ...[key, sealed, expires_at, asked, not_before],
    )
  }
}

/** A name holds what the manifest says of the authenticator, which may be anything. */
const keyOf = (name: string) => createHash('sha256').update(name).digest('hex')

/** What a caller reports is packed; anything else says that it could not report. */
const isCallerLost = (error: unknown) => !isPacked(error)

const notBefore = (retryAt: number) =>
  new AirbyteError('RATE_LIMITED', 'The token endpoint asked to come back later.', { retryAt })
