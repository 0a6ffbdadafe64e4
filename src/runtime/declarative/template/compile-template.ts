import { PythonError, typeError, valueError } from '../python/errors.ts'
import { iterate } from '../python/iteration.ts'
import { str } from '../python/text.ts'
import { truthy, typeName, type Value } from '../python/values.ts'
import { BLOCK_TEXT, type Statement, type Target } from './ast.ts'
import { compileExpression, type Evaluate, type Locals } from './compile-expression.ts'
import type { Frame } from './frame.ts'
import { LoopState } from './loop.ts'
import { Namespace } from './namespace.ts'

/** A piece of a template as a function that gives its text. */
export type Write = (frame: Frame) => string

export function compileBody(body: Statement[], locals: Locals): Write {
  const writers = body.map((statement) => compileStatement(statement, locals))
  const [first, second] = writers
  if (!first) return () => ''
  if (!second) return first
  return (frame) => {
    let text = ''
    for (const write of writers) text += write(frame)
    return text
  }
}

function compileStatement(statement: Statement, locals: Locals): Write {
  switch (statement.type) {
    case 'text': {
      const { text } = statement
      return (frame) => frame.wrote(text)
    }
    case 'output': {
      const value = compileExpression(statement.value, locals)
      return (frame) => frame.wrote(str(value(frame)))
    }
    case 'if':
      return compileIf(statement, locals)
    case 'for':
      return compileFor(statement, locals)
    case 'set': {
      const value = compileExpression(statement.value, locals)
      const assign = compileTarget(statement.target, statement.at)
      return (frame) => {
        assign(frame, value(frame))
        return ''
      }
    }
    case 'setBlock': {
      const text = compileBlock(statement.body, statement.filtered, locals)
      const assign = compileTarget(statement.target, statement.at)
      return (frame) => {
        assign(frame, text(frame))
        return ''
      }
    }
    case 'filterBlock': {
      const text = compileBlock(statement.body, statement.filtered, locals)
      return (frame) => frame.wrote(str(text(frame)))
    }
    case 'with': {
      const body = compileBody(statement.body, locals)
      const assignments = statement.assignments.map(([target, value]) => ({
        assign: compileTarget(target, statement.at),
        value: compileExpression(value, locals),
      }))
      return (frame) => {
        const values = assignments.map(({ value }) => value(frame))
        return frame.scoped(() => {
          assignments.forEach(({ assign }, index) => {
            assign(frame, values[index])
          })
          return body(frame)
        })
      }
    }
  }
}

function compileIf(statement: Statement & { type: 'if' }, locals: Locals): Write {
  const branches = statement.branches.map(({ test, body }) => ({
    test: compileExpression(test, locals),
    body: compileBody(body, locals),
  }))
  const otherwise = compileBody(statement.otherwise, locals)
  return (frame) => {
    for (const { test, body } of branches) if (truthy(test(frame))) return body(frame)
    return otherwise(frame)
  }
}

/** The text of a block, run through its filters, for `{% set x | f %}` and `{% filter f %}`. */
function compileBlock(
  statements: Statement[],
  filtered: (Statement & { type: 'filterBlock' })['filtered'] | undefined,
  locals: Locals,
): Evaluate {
  const body = compileBody(statements, locals)
  if (!filtered) return (frame) => frame.scoped(() => body(frame))
  const apply = compileExpression(filtered, new Set([...locals, BLOCK_TEXT]))
  return (frame) =>
    frame.scoped(() => {
      frame.assign(BLOCK_TEXT, body(frame))
      return apply(frame)
    })
}

type Assign = (frame: Frame, value: Value) => void

function compileTarget(target: Target, at: number): Assign {
  if (target.type === 'name') {
    const { name } = target
    return (frame, value) => frame.assign(name, value)
  }
  if (target.type === 'namespace') return compileNamespaceTarget(target)
  const targets = target.items.map((item) => compileTarget(item, at))
  return (frame, value) => {
    const items = [...iterate(value)]
    frame.at = at
    if (items.length !== targets.length)
      throw valueError(
        `${items.length > targets.length ? 'too many' : 'not enough'} values to unpack ` +
          `(expected ${targets.length}, got ${items.length})`,
      )
    targets.forEach((assign, index) => {
      assign(frame, items[index])
    })
  }
}

function compileNamespaceTarget(target: Target & { type: 'namespace' }): Assign {
  const { name, attribute, at } = target
  return (frame, value) => {
    const namespace = frame.local(name) ?? frame.context[name]
    frame.at = at
    if (!(namespace instanceof Namespace))
      throw new PythonError(
        'TemplateRuntimeError',
        'cannot assign attribute on non-namespace object',
      )
    namespace.values.set(attribute, value)
  }
}

function compileFor(statement: Statement & { type: 'for' }, locals: Locals): Write {
  const of = compileExpression(statement.of, locals)
  const assign = compileTarget(statement.target, statement.at)
  const test = statement.test && compileExpression(statement.test, locals)
  const body = compileBody(statement.body, locals)
  const otherwise = compileBody(statement.otherwise, locals)
  const { at, recursive } = statement

  const run = (frame: Frame, value: Value, depth: number): string => {
    if (depth > 100) throw new PythonError('LimitError', 'a loop calls itself too deep')
    frame.at = at
    const items = test ? chosen(frame, value, assign, test) : [...iterate(value)]
    const loop = new LoopState(
      items,
      depth,
      recursive ? (inner) => run(frame, inner, depth + 1) : undefined,
    )
    let text = ''
    for (const item of items) {
      frame.step()
      text += frame.scoped(() => {
        frame.assign('loop', loop)
        assign(frame, item)
        return body(frame)
      })
      loop.index++
    }
    return items.length === 0 ? frame.scoped(() => otherwise(frame)) : text
  }
  return (frame) => {
    const value = of(frame)
    frame.at = at
    if (value === null) throw typeError(`'${typeName(value)}' object is not iterable`)
    return run(frame, value, 0)
  }
}

function chosen(frame: Frame, value: Value, assign: Assign, test: Evaluate): Value[] {
  return [...iterate(value)].filter((item) => {
    frame.step()
    return frame.scoped(() => {
      assign(frame, item)
      return truthy(test(frame))
    })
  })
}
