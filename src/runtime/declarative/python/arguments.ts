import { typeError } from './errors.ts'
import type { Kwargs, Value } from './values.ts'

/**
 * Puts positional and named arguments in the order of the parameters, as a Python call does.
 * Those not given are JavaScript's undefined.
 * @throws PythonError TypeError for one too many, an unknown name or a required one that is missing
 */
export function bind(
  name: string,
  args: readonly Value[],
  kwargs: Kwargs,
  parameters: readonly string[],
  required = 0,
): Value[] {
  if (args.length > parameters.length)
    throw typeError(`${name}() takes at most ${parameters.length} arguments (${args.length} given)`)
  const bound: Value[] = [...args]
  for (const key in kwargs) {
    const index = parameters.indexOf(key)
    if (index < 0) throw typeError(`${name}() got an unexpected keyword argument '${key}'`)
    if (index < args.length) throw typeError(`${name}() got multiple values for argument '${key}'`)
    bound[index] = kwargs[key]
  }
  for (let index = 0; index < required; index++)
    if (bound[index] === undefined)
      throw typeError(`${name}() missing required argument: '${parameters[index]}'`)
  return bound
}
