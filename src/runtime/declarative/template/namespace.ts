import { PyObject, type Value } from '../python/values.ts'

/** `namespace(a=1)`: the one object whose attributes a template may set. */
export class Namespace extends PyObject {
  override readonly typeName = 'Namespace'
  readonly values: Map<string, Value>

  constructor(values: Iterable<readonly [string, Value]>) {
    super()
    this.values = new Map(values)
  }

  override attribute(name: string): Value {
    return this.values.get(name)
  }
}
