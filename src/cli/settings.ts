import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** What `airbyte login` keeps. */
export interface Settings {
  url: string
  token?: string
  refreshToken?: string
  clientId?: string
  tokenEndpoint?: string
  /** Epoch milliseconds. */
  expiresAt?: number
}

export const DEFAULT_URL = 'http://localhost:8787'

type Environment = Record<string, string | undefined>

export function settingsPath(env: Environment): string {
  const base = env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), '.config')
  return join(base, 'airbyte', 'config.json')
}

export function readSettings(env: Environment): Settings | undefined {
  try {
    return JSON.parse(readFileSync(settingsPath(env), 'utf8')) as Settings
  } catch {
    return undefined
  }
}

/** Readable by its owner only: it holds a token. */
export function writeSettings(env: Environment, settings: Settings): string {
  const path = settingsPath(env)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  chmodSync(path, 0o600)
  return path
}

export function removeSettings(env: Environment): void {
  rmSync(settingsPath(env), { force: true })
}
