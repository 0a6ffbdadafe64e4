import { AirbyteError, type JsonObject, toAirbyteError } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import { compileTemplate } from '../template/index.ts'
import { visitComponents } from './validate.ts'

/**
 * Reads all templates of a component before any of them is needed.
 *
 * @throws TEMPLATE_INVALID naming the node and the column in its text
 */
export function checkTemplates({ fields, path, type }: Component): void {
  if (checked.has(fields)) return
  visitComponents(fields, path, [type], {
    // Told by those who build the component.
    wrong: () => {},
    template(source, at) {
      if (!source.includes('{')) return
      try {
        compileTemplate(source)
      } catch (error) {
        throw placed(error, at)
      }
    },
  })
  checked.add(fields)
}

const checked = new WeakSet<JsonObject>()

function placed(error: unknown, field: string): AirbyteError {
  const { code, message } = toAirbyteError(error)
  return new AirbyteError(code, `${field}: ${message}`, { field, cause: error })
}
