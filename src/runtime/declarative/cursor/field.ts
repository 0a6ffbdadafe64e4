import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'

/** The field that a stream is read by: the manifest's, or the user's where the manifest allows it. */
export function cursorField(component: Component, env: Environment): string {
  const chosen = component.flag('allow_catalog_defined_cursor_field')
    ? env.run.configured.get(env.stream)?.cursorField
    : undefined
  if (chosen && chosen.length > 1) {
    throw component.refuse(`${env.stream} cannot be read by a nested field.`, 'cursor_field')
  }
  const [field] = chosen ?? []
  if (field) return field
  return textTemplate(component.text('cursor_field'), { env, parameters: component.parameters })()
}
