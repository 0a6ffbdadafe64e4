import { typeError } from '../python/errors.ts'
import { iterate } from '../python/iteration.ts'
import { isMapping, mappingEntries } from '../python/mappings.ts'
import { type Kwargs, PyFunction, typeName, type Value } from '../python/values.ts'
import type { Arguments, Expression } from './ast.ts'
import { getAttribute, methodOf } from './attributes.ts'
import { compileExpression, type Evaluate, type Locals } from './compile-expression.ts'
import { filters } from './filters.ts'
import type { Frame } from './frame.ts'
import { TemplateSyntaxError } from './syntax-error.ts'
import { tests } from './tests.ts'
import { Undefined } from './undefined.ts'

const NO_KWARGS: Kwargs = Object.freeze(Object.create(null))

interface CompiledArguments {
  args: (frame: Frame) => Value[]
  kwargs: (frame: Frame) => Kwargs
}

function compileArguments(given: Arguments, locals: Locals): CompiledArguments {
  const positional = given.args.map((arg) => compileExpression(arg, locals))
  const spread = given.spread && compileExpression(given.spread, locals)
  const named = given.kwargs.map(
    ([name, value]) => [name, compileExpression(value, locals)] as const,
  )
  const spreadKeywords = given.spreadKeywords && compileExpression(given.spreadKeywords, locals)
  return {
    args: spread
      ? (frame) => [...positional.map((arg) => arg(frame)), ...iterate(spread(frame))]
      : (frame) => positional.map((arg) => arg(frame)),
    kwargs:
      named.length === 0 && !spreadKeywords
        ? () => NO_KWARGS
        : (frame) => keywords(frame, named, spreadKeywords?.(frame)),
  }
}

function keywords(frame: Frame, named: (readonly [string, Evaluate])[], spread: Value): Kwargs {
  const kwargs: Record<string, Value> = Object.create(null)
  for (const [name, value] of named) kwargs[name] = value(frame)
  if (spread === undefined) return kwargs
  if (!isMapping(spread)) throw typeError('the argument after ** must be a mapping')
  for (const [name, value] of mappingEntries(spread)) {
    if (typeof name !== 'string') throw typeError('keywords must be strings')
    if (name in kwargs) throw typeError(`got multiple values for keyword argument '${name}'`)
    kwargs[name] = value
  }
  return kwargs
}

/** A call; a method is called on its value without making a bound method first. */
export function compileCall(node: Expression & { type: 'call' }, locals: Locals): Evaluate {
  const { args, kwargs } = compileArguments(node.arguments, locals)
  const { at } = node
  if (node.of.type === 'attribute') {
    const self = compileExpression(node.of.of, locals)
    const { name } = node.of
    return (frame) => {
      const value = self(frame)
      frame.at = at
      const method = methodOf(value, name)
      if (!method) return call(getAttribute(value, name), args(frame), kwargs(frame))
      const given = args(frame)
      const named = kwargs(frame)
      frame.at = at
      return method(value, given, named)
    }
  }
  const callee = compileExpression(node.of, locals)
  return (frame) => {
    const target = callee(frame)
    const given = args(frame)
    const named = kwargs(frame)
    frame.at = at
    return call(target, given, named)
  }
}

function call(target: Value, args: Value[], kwargs: Kwargs): Value {
  if (target instanceof Undefined) return target.fail()
  if (target instanceof PyFunction) return target.call(args, kwargs)
  throw typeError(`'${typeName(target)}' object is not callable`)
}

export function compileFilter(node: Expression & { type: 'filter' }, locals: Locals): Evaluate {
  const apply = Object.hasOwn(filters, node.name) ? filters[node.name] : undefined
  if (!apply) throw new TemplateSyntaxError(`there is no filter named '${node.name}'`, node.at)
  return compileApplied(node, locals, apply)
}

export function compileTest(node: Expression & { type: 'test' }, locals: Locals): Evaluate {
  const apply = Object.hasOwn(tests, node.name) ? tests[node.name] : undefined
  if (!apply) throw new TemplateSyntaxError(`there is no test named '${node.name}'`, node.at)
  return compileApplied(node, locals, apply)
}

type Applied = (value: Value, args: readonly Value[], kwargs: Kwargs) => Value

function compileApplied(
  node: Expression & { type: 'filter' | 'test' },
  locals: Locals,
  apply: Applied,
): Evaluate {
  const of = compileExpression(node.of, locals)
  const { args, kwargs } = compileArguments(node.arguments, locals)
  const { at } = node
  return (frame) => {
    const value = of(frame)
    const given = args(frame)
    const named = kwargs(frame)
    frame.at = at
    return apply(value, given, named)
  }
}
