import { AirbyteError, type JsonObject } from '../../protocol/index.ts'

/** Throws VALIDATION_FAILED, naming the field, unless each of them is a text that is not empty. */
export function requireTexts(config: JsonObject, fields: readonly string[]): void {
  for (const field of fields) {
    if (typeof config[field] === 'string' && config[field] !== '') continue
    throw new AirbyteError('VALIDATION_FAILED', `The field '${field}' is missing.`, {
      field: `config.${field}`,
    })
  }
}
