import { AirbyteError } from '../../protocol/index.ts'
import type { Component } from './component.ts'

/** The error for a component of the language that this runtime does not have, by its name. */
export function unsupported({ type, path, fields }: Component): AirbyteError {
  const name = fields.class_name ?? type
  return new AirbyteError('UNSUPPORTED', `${path}: '${name}' cannot run here yet.`, {
    field: path,
    hint: 'Read the other streams of this source.',
  })
}
