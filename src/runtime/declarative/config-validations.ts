import { AirbyteError, isObject, type JsonObject, type JsonValue } from '../../protocol/index.ts'
import { type Builders, build, type Component } from './component.ts'
import { customPart } from './custom/part.ts'
import type { CustomRegister } from './custom/register.ts'
import { template, textTemplate } from './interpolation.ts'
import { schemaProblem } from './json-schema.ts'
import { toJson } from './python/json.ts'
import { isPattern, valueAt, valuesAt } from './records/paths.ts'

/**
 * What the manifest's `config_normalization_rules.validations` ask of the config.
 *
 * @throws VALIDATION_FAILED with the config's field
 */
export function validateConfigRules(
  root: Component,
  config: JsonObject,
  custom?: CustomRegister,
): void {
  const rules = root.optionalChild('spec')?.optionalChild('config_normalization_rules')
  for (const validator of rules?.children('validations') ?? [])
    build(VALIDATORS, validator, { config, custom })
}

/** What is wrong with a value, if anything. */
type Strategy = (value: JsonValue) => string | undefined

interface Checked {
  config: JsonObject
  custom: CustomRegister | undefined
}

const VALIDATORS: Builders<void, Checked> = {
  /** A path without a value is not looked at. */
  DpathValidator(component, checked) {
    const { config } = checked
    const path = component
      .list('field_path')
      .map((part) => textTemplate(String(part), { env: { config: {} }, parameters: {} })())
    if (path.length === 0) throw component.refuse('The path is empty.', 'field_path')
    const found = path.some(isPattern) ? valuesAt(config, path) : [valueAt(config, path)]
    for (const value of found) {
      if (value !== undefined)
        apply(component, checked, value as JsonValue, `config.${path.join('.')}`)
    }
  },

  PredicateValidator(component, checked) {
    const { config } = checked
    const given = component.get('value') ?? null
    const value =
      typeof given === 'string'
        ? toJson(template(given, { env: { config }, parameters: {} })())
        : given
    apply(component, checked, value as JsonValue, 'config')
  },
}

function apply(validator: Component, checked: Checked, value: JsonValue, field: string): void {
  const problem = build(STRATEGIES, validator.child('validation_strategy'), checked)(value)
  if (problem) throw new AirbyteError('VALIDATION_FAILED', `${field}: ${problem}.`, { field })
}

const STRATEGIES: Builders<Strategy, Checked> = {
  CustomValidationStrategy: (component, { config, custom }) =>
    customPart('validationStrategy', component, custom, { config }),

  ValidateAdheresToSchema(component) {
    const schema = parsed(component.required('base_schema'))
    if (!isObject(schema)) throw component.refuse('The schema is not an object.', 'base_schema')
    return (given) => {
      const value = parsed(given)
      return value === undefined ? 'is not JSON' : schemaProblem(schema, value)
    }
  },
}

/** A text is JSON here. */
function parsed(value: JsonValue): JsonValue | undefined {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value) as JsonValue
  } catch {
    return undefined
  }
}
