import { readFileSync } from 'node:fs'
import type { Airbyte } from '../sdk/index.ts'
import { UsageError } from './options.ts'

type Json = Record<string, unknown>
type Environment = Record<string, string | undefined>

/** `${env:NAME}` anywhere in a value becomes the variable's value; a variable that is not set stays. */
export function withEnvironment<T>(value: T, env: Environment): T {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\{env:(\w+)\}/g, (all, name: string) => env[name] ?? all) as T
  }
  if (Array.isArray(value)) return value.map((item) => withEnvironment(item, env)) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, withEnvironment(inner, env)])
  return Object.fromEntries(entries) as T
}

/** `--config @file.json` reads the file. */
export function readConfigFile(args: string[]): string[] {
  return args.map((arg, i) => {
    const path = args[i - 1] === '--config' && arg.startsWith('@') ? arg.slice(1) : undefined
    if (path === undefined) return arg
    try {
      return readFileSync(path, 'utf8')
    } catch {
      throw new UsageError(`${path} cannot be read.`)
    }
  })
}

/** Texts of `--config.port 5432` as the types that the connector's fields have. */
export async function typedConfig(
  airbyte: Airbyte,
  kind: 'source' | 'destination',
  name: string,
  config: Json,
): Promise<Json> {
  const { fields } = await airbyte.catalog.get({ kind, name })
  const types = new Map(fields.map(({ path, type }) => [path, type]))
  const visit = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') return typed(value, types.get(path) ?? '')
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        visit(inner, path ? `${path}.${key}` : key),
      ]),
    )
  }
  return visit(config, '') as Json
}

function typed(text: string, type: string): unknown {
  if (/integer|number/.test(type) && text !== '' && !Number.isNaN(Number(text))) return Number(text)
  if (type.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true'
  if (type.includes('array')) return text.startsWith('[') ? JSON.parse(text) : text.split(',')
  return text
}
