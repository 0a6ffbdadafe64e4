import { AirbyteError } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import {
  CUSTOM_TYPES,
  type CustomContexts,
  type CustomFamily,
  type CustomParts,
} from './families.ts'
import type { CustomBuilder, CustomRegister } from './register.ts'

/**
 * The part that a custom class makes.
 *
 * @throws UNSUPPORTED with the name of a class that is not registered
 * @throws VALIDATION_FAILED for one that is registered for another family
 */
export function customPart<Family extends CustomFamily>(
  family: Family,
  component: Component,
  register: CustomRegister | undefined,
  context: CustomContexts[Family],
): CustomParts[Family] {
  const className = component.text('class_name')
  const found = register?.find(className)
  if (!found) throw notRegistered(className, component.path)
  if (found.family !== family) {
    throw component.refuse(
      `The class '${className}' is a ${CUSTOM_TYPES[found.family]}, not a ${CUSTOM_TYPES[family]}.`,
      'class_name',
    )
  }
  return (found.build as unknown as CustomBuilder<Family>)(component, context)
}

export const notRegistered = (className: string, path: string, stream?: string, parent?: string) =>
  new AirbyteError(
    'UNSUPPORTED',
    `${path}: the custom class '${className}' is not registered${parent ? `, which the parent stream '${parent}' needs` : ''}.`,
    {
      ...{ field: path, stream },
      hint: 'Read the other streams, or register a class of this name (docs/declarative.md).',
    },
  )

/** All that a class gives, which may be a generator, also an asynchronous one. */
export async function collected<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
