import type { JsonObject } from '../../../protocol/index.ts'
import type { ConfigChange, Token } from '../../contract.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { setAt, valueAt } from '../records/paths.ts'

/** Keeps single-use refresh tokens in the config: each refresh gives a new one. */
export interface TokenUpdater {
  refreshTokenName: string
  /** The refresh token that a config holds. */
  refreshToken(config: JsonObject): string | undefined
  /** The access token that a config holds, if it has a date. */
  stored(config: JsonObject): Token | undefined
  /** What new tokens change of the config; this run's own copy has it at once. */
  store(token: Token, refreshToken: unknown): ConfigChange[]
}

export function tokenUpdater(component: Component, env: Environment): TokenUpdater | undefined {
  const updater = component.optionalChild('refresh_token_updater')
  if (!updater) return undefined
  const path = (field: string, last: string) => {
    const given = updater.list(field).map(String)
    return given.length > 0 ? given : ['credentials', last]
  }
  const tokenPath = path('access_token_config_path', 'access_token')
  const refreshPath = path('refresh_token_config_path', 'refresh_token')
  const expiryPath = path('token_expiry_date_config_path', 'token_expiry_date')
  return {
    refreshTokenName: updater.optionalText('refresh_token_name') ?? 'refresh_token',
    refreshToken: (config) => textAt(config, refreshPath),
    stored(config) {
      const value = textAt(config, tokenPath)
      const expiresAt = Date.parse(textAt(config, expiryPath) ?? '')
      return value && !Number.isNaN(expiresAt) ? { value, expiresAt } : undefined
    },
    store(token, refreshToken) {
      const expiry = new Date(token.expiresAt).toISOString()
      const changes: ConfigChange[] = [
        { path: tokenPath, value: token.value, secret: true },
        { path: expiryPath, value: expiry, secret: false },
      ]
      if (typeof refreshToken === 'string') {
        changes.push({ path: refreshPath, value: refreshToken, secret: true })
      }
      for (const change of changes) setAt(env.config, change.path, change.value)
      // An owner keeps it; where there is none, whoever reads the events must.
      if (!env.ctx.owner) env.run.onConfig?.(structuredClone(env.config))
      return changes
    },
  }
}

function textAt(config: JsonObject, path: string[]): string | undefined {
  const found = valueAt(config, path)
  return typeof found === 'string' && found !== '' ? found : undefined
}
