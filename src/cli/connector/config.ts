import { validateConfig } from '../../core/config-validation.ts'
import type { JsonObject, JsonSchema, JsonValue } from '../../protocol/index.ts'
import { createScrubber, splitSecrets } from '../../vault/index.ts'
import type { Scrub } from './messages.ts'
import type { OpenConnector } from './open.ts'

/** Of the platform and of test suites, not of the connector's form. */
const INTERNAL = /^(?:__|_limit$|_page_size$)/

/**
 * The config as the connector takes it, once its present form fits the spec. A native connector gets the defaults of its form; a manifest
 * gets what was given, as the CDK has it, and may be given more than its form knows.
 *
 * @throws VALIDATION_FAILED
 */
export function checkedConfig({ connector }: OpenConnector, config: JsonObject): JsonObject {
  const { connectionSpecification: spec } = connector.spec()
  if (!('migrateConfig' in connector)) return validateConfig(spec, config)
  const present = connector.migrateConfig?.(config) ?? config
  const own = Object.entries(present).filter(([name]) => !INTERNAL.test(name))
  validateConfig(spec, Object.fromEntries(own), { open: true })
  return config
}

/** Masks what the spec calls secret. Configs that come later add to what is known. */
export class ConfigScrubber {
  readonly #secrets = new Set<string>()
  #scrub: Scrub = (text) => text

  learn(spec: JsonSchema, config: JsonObject): void {
    for (const value of Object.values(splitSecrets(spec, config).secrets)) {
      for (const text of textsIn(value)) this.#secrets.add(text)
    }
    this.#scrub = createScrubber(this.#secrets)
  }

  /** A secret that came to light later, such as a token that an API gave. */
  add(secret: string): void {
    if (this.#secrets.has(secret)) return
    this.#secrets.add(secret)
    this.#scrub = createScrubber(this.#secrets)
  }

  readonly scrub: Scrub = (text) => this.#scrub(text)
}

function textsIn(value: JsonValue): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn)
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn)
  return value === null || typeof value === 'boolean' ? [] : [String(value)]
}
