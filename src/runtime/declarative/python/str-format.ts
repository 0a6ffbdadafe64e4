import { checkLength, PythonError, valueError } from './errors.ts'
import { formatValue } from './format-spec.ts'
import { repr, str } from './text.ts'
import type { Kwargs, Value } from './values.ts'

/** Reads `.name` and `[key]` of a value; the sandbox hands in its own. */
export interface FieldAccess {
  attribute: (value: Value, name: string) => Value
  item: (value: Value, key: Value) => Value
}

/** Python's `text.format(*args, **kwargs)`. */
export function strFormat(
  text: string,
  args: readonly Value[],
  kwargs: Kwargs,
  access: FieldAccess,
  depth = 2,
): string {
  if (depth < 0) throw valueError('Max string recursion exceeded')
  let next = 0
  let output = ''
  let at = 0
  while (at < text.length) {
    const brace = /[{}]/g
    brace.lastIndex = at
    const found = brace.exec(text)
    if (!found) return output + text.slice(at)
    output += text.slice(at, found.index)
    if (text[found.index + 1] === found[0]) {
      output += found[0]
      at = found.index + 2
      continue
    }
    if (found[0] === '}') throw valueError("Single '}' encountered in format string")
    const end = closingBrace(text, found.index)
    const field = splitField(text.slice(found.index + 1, end))
    const name =
      field.name === '' || /^[.[]/.test(field.name) ? `${next++}${field.name}` : field.name
    const value = converted(lookup(name, args, kwargs, access), field.conversion)
    const nested = () => {
      const spec = field.spec.replaceAll('{}', () => `{${next++}}`)
      return strFormat(spec, args, kwargs, access, depth - 1)
    }
    const spec = field.spec.includes('{') ? nested() : field.spec
    output += formatValue(value, spec)
    checkLength(output.length)
    at = end + 1
  }
  return output
}

function closingBrace(text: string, open: number): number {
  let depth = 0
  for (let i = open; i < text.length; i++) {
    if (text[i] === '{') depth++
    if (text[i] === '}' && --depth === 0) return i
  }
  throw valueError("expected '}' before end of string")
}

function splitField(field: string): { name: string; conversion: string; spec: string } {
  const match = /^([^!:[]*(?:\[[^\]]*\][^!:[]*)*)(?:!(.))?(?::([\s\S]*))?$/.exec(field)
  if (!match) throw valueError(`malformed replacement field '${field}'`)
  return { name: match[1] ?? '', conversion: match[2] ?? '', spec: match[3] ?? '' }
}

const own = (kwargs: Kwargs, name: string): Value =>
  Object.hasOwn(kwargs, name) ? kwargs[name] : undefined

function lookup(name: string, args: readonly Value[], kwargs: Kwargs, access: FieldAccess): Value {
  const [, first = '', rest = ''] = /^([^.[]*)([\s\S]*)$/.exec(name) ?? []
  let value = /^\d+$/.test(first) ? args[Number(first)] : own(kwargs, first)
  if (value === undefined)
    throw /^\d+$/.test(first)
      ? new PythonError('IndexError', 'Replacement index out of range for positional args tuple')
      : new PythonError('KeyError', `'${first}'`)
  for (const [, attribute, key = ''] of rest.matchAll(/\.([^.[]+)|\[([^\]]+)\]/g))
    value = attribute
      ? access.attribute(value, attribute)
      : access.item(value, /^\d+$/.test(key) ? Number(key) : key)
  return value
}

function converted(value: Value, conversion: string): Value {
  if (conversion === '') return value
  if (conversion === 's') return str(value)
  if (conversion === 'r' || conversion === 'a') return repr(value)
  throw valueError(`Unknown conversion specifier '${conversion}'`)
}
