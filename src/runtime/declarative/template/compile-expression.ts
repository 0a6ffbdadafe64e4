import { compare, equal } from '../python/equality.ts'
import { checkLength } from '../python/errors.ts'
import { contains } from '../python/iteration.ts'
import { Dict } from '../python/mappings.ts'
import { binaryOperation, negative, positive } from '../python/operators.ts'
import { str } from '../python/text.ts'
import { Tuple, truthy, type Value } from '../python/values.ts'
import type { CompareOperator, Expression } from './ast.ts'
import { getAttribute, getItem, getSlice } from './attributes.ts'
import { compileCall, compileFilter, compileTest } from './compile-call.ts'
import type { Frame } from './frame.ts'
import { globals } from './globals.ts'
import { Undefined } from './undefined.ts'

/** An expression as a function: nothing is parsed or looked up by text while rendering. */
export type Evaluate = (frame: Frame) => Value

/** Names the template assigns itself; all others come from the context. */
export type Locals = ReadonlySet<string>

export function compileExpression(node: Expression, locals: Locals): Evaluate {
  const compile = (child: Expression) => compileExpression(child, locals)
  switch (node.type) {
    case 'constant': {
      const { value } = node
      return () => value
    }
    case 'name':
      return compileName(node.name, locals)
    case 'list': {
      const items = node.items.map(compile)
      return (frame) => items.map((item) => item(frame))
    }
    case 'tuple': {
      const items = node.items.map(compile)
      return (frame) => Tuple.of(...items.map((item) => item(frame)))
    }
    case 'dict': {
      const pairs = node.pairs.map(([key, value]) => [compile(key), compile(value)] as const)
      return (frame) => new Dict(pairs.map(([key, value]) => [key(frame), value(frame)] as const))
    }
    case 'attribute': {
      const of = compile(node.of)
      const { name, at } = node
      return (frame) => {
        const value = of(frame)
        frame.at = at
        return getAttribute(value, name)
      }
    }
    case 'item':
      return compileItem(node, locals)
    case 'slice':
      throw new Error('a slice stands only inside brackets')
    case 'call':
      return compileCall(node, locals)
    case 'filter':
      return compileFilter(node, locals)
    case 'test':
      return compileTest(node, locals)
    case 'unary': {
      const of = compile(node.of)
      const { at } = node
      const apply = node.operator === '-' ? negative : positive
      return (frame) => {
        const value = of(frame)
        frame.at = at
        return value instanceof Undefined ? value.fail() : apply(value)
      }
    }
    case 'not': {
      const of = compile(node.of)
      return (frame) => !truthy(of(frame))
    }
    case 'binary': {
      const left = compile(node.left)
      const right = compile(node.right)
      const { operator, at } = node
      return (frame) => {
        const a = left(frame)
        const b = right(frame)
        frame.at = at
        if (a instanceof Undefined) a.fail()
        // Formatting takes an undefined value for empty text.
        if (b instanceof Undefined && !(operator === '%' && typeof a === 'string')) b.fail()
        return binaryOperation(operator, a, b)
      }
    }
    case 'and': {
      const left = compile(node.left)
      const right = compile(node.right)
      return (frame) => {
        const value = left(frame)
        return truthy(value) ? right(frame) : value
      }
    }
    case 'or': {
      const left = compile(node.left)
      const right = compile(node.right)
      return (frame) => {
        const value = left(frame)
        return truthy(value) ? value : right(frame)
      }
    }
    case 'concat': {
      const items = node.items.map(compile)
      return (frame) => {
        const text = items.map((item) => str(item(frame))).join('')
        checkLength(text.length)
        return text
      }
    }
    case 'compare':
      return compileCompare(node, locals)
    case 'condition': {
      const test = compile(node.test)
      const chosen = compile(node.value)
      const otherwise = node.otherwise
        ? compile(node.otherwise)
        : () => new Undefined('the inline if-expression evaluated to false and has no else')
      return (frame) => (truthy(test(frame)) ? chosen(frame) : otherwise(frame))
    }
  }
}

/** The three names of the slice are one object. */
const SLICE_NAMES = new Set(['stream_interval', 'stream_partition'])

function compileName(name: string, locals: Locals): Evaluate {
  const global = globals.get(name)
  const key = SLICE_NAMES.has(name) ? 'stream_slice' : name
  const fromContext: Evaluate = (frame) => {
    const value = Object.hasOwn(frame.context, key) ? frame.context[key] : undefined
    if (value !== undefined) return value
    return global ?? new Undefined(`'${name}' is undefined`)
  }
  if (!locals.has(name)) return fromContext
  return (frame) => {
    const value = frame.local(name)
    return value === undefined ? fromContext(frame) : value
  }
}

function compileItem(node: Expression & { type: 'item' }, locals: Locals): Evaluate {
  const of = compileExpression(node.of, locals)
  const { at, key } = node
  if (key.type === 'slice') {
    const part = (child?: Expression) => (child ? compileExpression(child, locals) : () => null)
    const [start, stop, step] = [part(key.start), part(key.stop), part(key.step)]
    return (frame) => {
      const value = of(frame)
      const bounds = [start(frame), stop(frame), step(frame)] as const
      frame.at = at
      return getSlice(value, ...bounds)
    }
  }
  if (key.type === 'constant') {
    const constant = key.value
    return (frame) => {
      const value = of(frame)
      frame.at = at
      return getItem(value, constant)
    }
  }
  const evaluateKey = compileExpression(key, locals)
  return (frame) => {
    const value = of(frame)
    const item = evaluateKey(frame)
    frame.at = at
    return getItem(value, item)
  }
}

const COMPARE: Record<CompareOperator, (a: Value, b: Value) => boolean> = {
  '==': equal,
  '!=': (a, b) => !equal(a, b),
  '<': (a, b) => compare(a, b, '<') < 0,
  '<=': (a, b) => compare(a, b, '<=') <= 0,
  '>': (a, b) => compare(a, b, '>') > 0,
  '>=': (a, b) => compare(a, b, '>=') >= 0,
  in: (a, b) => contains(b, a),
  'not in': (a, b) => !contains(b, a),
}

function compileCompare(node: Expression & { type: 'compare' }, locals: Locals): Evaluate {
  const first = compileExpression(node.first, locals)
  const rest = node.rest.map(({ operator, right }) => ({
    holds: COMPARE[operator],
    right: compileExpression(right, locals),
  }))
  const { at } = node
  return (frame) => {
    let left = first(frame)
    for (const { holds, right } of rest) {
      const value = right(frame)
      frame.at = at
      if (!holds(left, value)) return false
      left = value
    }
    return true
  }
}
