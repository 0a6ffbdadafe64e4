import { entriesOf } from '../python/dict-methods.ts'
import { Dict } from '../python/mappings.ts'
import { type Kwargs, PyFunction, type Value } from '../python/values.ts'
import { MACROS } from './macros.ts'
import { Namespace } from './namespace.ts'

const dictOf = (args: readonly Value[], kwargs: Kwargs): Dict =>
  new Dict([...entriesOf(args[0]), ...Object.entries(kwargs)])

/** What every template can call without its context giving it. */
export const globals: ReadonlyMap<string, PyFunction> = new Map([
  ...Object.entries(MACROS).map(([name, run]) => [name, new PyFunction(name, run)] as const),
  ['dict', new PyFunction('dict', dictOf)],
  [
    'namespace',
    new PyFunction('namespace', (args, kwargs) => {
      const entries = [...dictOf(args, kwargs).entries()]
      return new Namespace(entries.map(([key, value]) => [String(key), value] as const))
    }),
  ],
])
