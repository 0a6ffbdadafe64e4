import type { JsonObject, JsonValue } from '../../protocol/index.ts'
import { type Builders, build, type Component } from './component.ts'
import { customPart } from './custom/part.ts'
import type { Environment } from './environment.ts'
import { condition, template, textTemplate } from './interpolation.ts'
import { toJson } from './python/json.ts'
import { deleteAt, setAt, valueAt } from './records/paths.ts'
import { validTypesOf } from './records/value-types.ts'

export interface NormalizedConfig {
  /** What the components see. */
  config: JsonObject
  /** What should be stored in place of the given one; absent when no migration changed it. */
  migrated?: JsonObject
}

/** The config after the manifest's `config_normalization_rules`: migrations, then transformations. */
export function normalizeConfig(
  root: Component,
  given: JsonObject,
  { language, custom }: Pick<Environment, 'language' | 'custom'> = {},
): NormalizedConfig {
  // Refresh tokens are written into it later: never the caller's own.
  const config = structuredClone(given)
  const rules = root.optionalChild('spec')?.optionalChild('config_normalization_rules')
  if (!rules || Object.keys(given).length === 0) return { config }
  const env = { config, language, custom }
  for (const migration of rules.children('config_migrations')) {
    for (const child of migration.children('transformations')) build(CHANGES, child, env)
  }
  const migrated = structuredClone(config)
  for (const child of rules.children('transformations')) build(CHANGES, child, env)
  const isChanged = JSON.stringify(migrated) !== JSON.stringify(given)
  return isChanged ? { config, migrated } : { config }
}

const CHANGES: Builders<void, Pick<Environment, 'config' | 'language' | 'custom'>> = {
  CustomConfigTransformation(component, { config, custom }) {
    customPart('configTransformation', component, custom, { config })(config)
  },

  ConfigAddFields(component, env) {
    const bound = { env, parameters: {} }
    const source = component.optionalText('condition')
    for (const field of component.children('fields')) {
      const validTypes = validTypesOf(field.optionalText('value_type'))
      const value = template(String(field.required('value')), bound, { validTypes })()
      const path = field.list('path').map(String)
      if (source && !condition(source, bound)({ value, path })) continue
      setAt(env.config, path, toJson(value))
    }
  },

  ConfigRemoveFields(component, env) {
    const source = component.optionalText('condition')
    if (source && !condition(source, { env, parameters: {} })()) return
    for (const pointer of component.list('field_pointers')) {
      deleteAt(env.config, (pointer as JsonValue[]).map(String))
    }
  },

  ConfigRemapField(component, env) {
    const bound = { env, parameters: {} }
    const path = component.list('field_path').map((part) => textTemplate(String(part), bound)())
    const value = valueAt(env.config, path)
    for (const [from, to] of Object.entries(component.object('map'))) {
      if (value !== textTemplate(from, bound)()) continue
      setAt(env.config, path, typeof to === 'string' ? toJson(template(to, bound)()) : to)
      return
    }
  },
}
