import type { JsonObject, JsonValue } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import type { Environment, Token } from '../environment.ts'

/** Keeps single-use refresh tokens in the config: each refresh gives a new one. */
export interface TokenUpdater {
  refreshTokenName: string
  /** The refresh token that the config holds now. */
  refreshToken(): string | undefined
  /** The access token that the config holds, if it has a date. */
  stored(): Token | undefined
  /** Writes the new tokens into the config and reports the change. */
  store(token: Token, refreshToken: unknown): void
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
    refreshToken: () => textAt(env.config, refreshPath),
    stored() {
      const value = textAt(env.config, tokenPath)
      const expiresAt = Date.parse(textAt(env.config, expiryPath) ?? '')
      return value && !Number.isNaN(expiresAt) ? { value, expiresAt } : undefined
    },
    store(token, refreshToken) {
      setAt(env.config, tokenPath, token.value)
      setAt(env.config, expiryPath, new Date(token.expiresAt).toISOString())
      if (typeof refreshToken === 'string') setAt(env.config, refreshPath, refreshToken)
      env.run.onConfig?.(structuredClone(env.config))
    },
  }
}

function textAt(config: JsonObject, path: string[]): string | undefined {
  const found = path.reduce<unknown>(
    (node, key) => (node as Record<string, unknown> | undefined)?.[key],
    config,
  )
  return typeof found === 'string' && found !== '' ? found : undefined
}

function setAt(config: JsonObject, path: string[], value: JsonValue): void {
  let node = config
  for (const key of path.slice(0, -1)) {
    if (typeof node[key] !== 'object' || node[key] === null) node[key] = {}
    node = node[key] as JsonObject
  }
  node[path.at(-1) as string] = value
}
