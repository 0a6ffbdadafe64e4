import type { Component } from '../component.ts'
import type { CustomContexts, CustomFamily, CustomParts } from './families.ts'

/** Makes the part that a node with `class_name` stands for. */
export type CustomBuilder<Family extends CustomFamily> = (
  component: Component,
  context: CustomContexts[Family],
) => CustomParts[Family]

/** A class in TypeScript, in the place of one in Python. */
export interface CustomComponent<Family extends CustomFamily = CustomFamily> {
  family: Family
  build: CustomBuilder<Family>
}

/**
 * Classes by their `class_name`: the whole name, or its last part alone, which then stands for the
 * class of that name in any module.
 */
export type CustomComponents = { readonly [className: string]: AnyCustomComponent }
type AnyCustomComponent = { [Family in CustomFamily]: CustomComponent<Family> }[CustomFamily]

/**
 * One class for a register.
 *
 * @example
 * export const components: CustomComponents = {
 *   'source_shop.components.Prices': custom('recordExtractor', (component) => {
 *     const currency = component.text('currency')
 *     return ({ json }) => (json as Shop).prices.map((price) => ({ ...price, currency }))
 *   }),
 * }
 */
export const custom = <Family extends CustomFamily>(
  family: Family,
  build: CustomBuilder<Family>,
): CustomComponent<Family> => ({ family, build })

/** Finds classes in several tables; the first table that has one wins. */
export class CustomRegister {
  readonly #tables: CustomComponents[]

  constructor(...tables: CustomComponents[]) {
    this.#tables = tables
  }

  find(className: string): AnyCustomComponent | undefined {
    const short = className.slice(className.lastIndexOf('.') + 1)
    for (const table of this.#tables) {
      for (const name of [className, short]) if (Object.hasOwn(table, name)) return table[name]
    }
    return undefined
  }
}
