import { equal } from '../python/equality.ts'
import { typeError } from '../python/errors.ts'
import { PyFunction, type Value } from '../python/values.ts'
import { Undefined } from './undefined.ts'

/** The variable `loop` inside a `for`. */
export class LoopState extends PyFunction {
  override readonly typeName = 'LoopContext'
  readonly #items: Value[]
  readonly #depth: number
  #last: Value[] | undefined
  /** Of the present item, from 0. */
  index = 0

  constructor(items: Value[], depth: number, recurse?: (value: Value) => string) {
    super('loop', (args) => {
      if (!recurse) throw typeError("The loop must have the 'recursive' marker to be called.")
      return recurse(args[0])
    })
    this.#items = items
    this.#depth = depth
  }

  override attribute(name: string): Value {
    const { index } = this
    switch (name) {
      case 'index':
        return index + 1
      case 'index0':
        return index
      case 'revindex':
        return this.#items.length - index
      case 'revindex0':
        return this.#items.length - index - 1
      case 'first':
        return index === 0
      case 'last':
        return index === this.#items.length - 1
      case 'length':
        return this.#items.length
      case 'depth':
        return this.#depth + 1
      case 'depth0':
        return this.#depth
      case 'previtem':
        return index === 0 ? new Undefined('there is no previous item') : this.#items[index - 1]
      case 'nextitem':
        return index === this.#items.length - 1
          ? new Undefined('there is no next item')
          : this.#items[index + 1]
      case 'cycle':
        return new PyFunction('cycle', (args) => {
          if (args.length === 0) throw typeError('no items for cycling given')
          return args[this.index % args.length]
        })
      case 'changed':
        return new PyFunction('changed', (args) => this.#changed(args))
      default:
        return undefined
    }
  }

  override length(): number {
    return this.#items.length
  }

  override repr(): string {
    return `<LoopContext ${this.index + 1}/${this.#items.length}>`
  }

  #changed(args: readonly Value[]): boolean {
    const last = this.#last
    this.#last = [...args]
    return !last || !equal(last, this.#last)
  }
}
