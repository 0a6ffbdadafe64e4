import { AirbyteError } from '../../../protocol/errors.ts'
import { beginBudget, endBudget, PythonError } from '../python/errors.ts'
import { str } from '../python/text.ts'
import type { Value } from '../python/values.ts'
import { compileExpression } from './compile-expression.ts'
import { compileBody } from './compile-template.ts'
import { type Context, Frame } from './frame.ts'
import { globals } from './globals.ts'
import { analyzeNames } from './names.ts'
import { parseTemplate } from './parse-template.ts'
import { TemplateSyntaxError, templateError } from './syntax-error.ts'

/** A compiled template. */
export interface Template {
  readonly source: string
  /** Names that the context must give (macros, globals and aliases excepted). */
  readonly names: readonly string[]
  /** Whether the text has no tag at all: it renders to itself. */
  readonly isPlain: boolean
  /**
   * The rendered text.
   * @throws AirbyteError TEMPLATE_FAILED naming the template and the place in it
   */
  render(context: Context): string
  /** The rendered text; throws `PythonError` as Python would, for those who handle its classes. */
  renderRaw(context: Context): string
  /**
   * For a template that is one `{{ expression }}` and nothing else: its value when that is null, a
   * boolean, an int or text, and its printed form otherwise. Throws as `renderRaw` does.
   */
  readonly single?: (context: Context) => Value
}

const MAX_TEMPLATES = 20_000
const templates = new Map<string, Template | AirbyteError>()

/**
 * Compiles a Jinja2 template, once for each distinct text.
 * @throws AirbyteError TEMPLATE_INVALID with line and column when it cannot be read
 * @example
 * compileTemplate("{{ config['shop'] }}.example.com").render({ config: { shop: 'a' } }) // 'a.example.com'
 */
export function compileTemplate(source: string): Template {
  let template = templates.get(source)
  if (!template) {
    template = create(source)
    if (templates.size >= MAX_TEMPLATES) templates.clear()
    templates.set(source, template)
  }
  if (template instanceof AirbyteError) throw template
  return template
}

function create(source: string): Template | AirbyteError {
  if (!source.includes('{')) return plain(source)
  try {
    return compile(source)
  } catch (error) {
    if (error instanceof TemplateSyntaxError)
      return templateError('TEMPLATE_INVALID', source, error.at, error)
    if (error instanceof PythonError || error instanceof RangeError)
      return templateError('TEMPLATE_INVALID', source, 0, error)
    throw error
  }
}

function plain(source: string): Template {
  const text = source.replace(/\r\n?/g, '\n').replace(/\n$/, '')
  return { source, names: [], isPlain: true, render: () => text, renderRaw: () => text }
}

function compile(source: string): Template {
  const body = parseTemplate(source)
  const { required, assigned } = analyzeNames(body, (name) => globals.has(name))
  const names = [...required.keys()]
  const write = compileBody(body, assigned)
  const [first, second] = body
  const isSingle = first?.type === 'output' && !second
  const value = isSingle ? compileExpression(first.value, assigned) : undefined

  const run = <T>(frame: Frame, evaluate: (frame: Frame) => T): T => {
    for (const name of names) {
      if (isGiven(frame.context, name)) continue
      frame.at = required.get(name) ?? 0
      throw undeclared(name, frame.context)
    }
    beginBudget()
    try {
      return evaluate(frame)
    } finally {
      endBudget()
    }
  }
  return {
    source,
    names,
    isPlain: false,
    renderRaw: (context) => run(new Frame(context), write),
    single: value && ((context) => run(new Frame(context), (frame) => simple(value(frame)))),
    render: (context) => {
      const frame = new Frame(context)
      try {
        return run(frame, write)
      } catch (error) {
        throw failure(source, frame.at, error)
      }
    },
  }
}

const simple = (value: Value): Value =>
  typeof value === 'boolean' || value === null || Number.isSafeInteger(value) ? value : str(value)

function isGiven(context: Context, name: string): boolean {
  if (Object.hasOwn(context, name)) return context[name] !== undefined
  const isSlice = name === 'stream_interval' || name === 'stream_partition'
  return isSlice && Object.hasOwn(context, 'stream_slice') && context.stream_slice !== undefined
}

/** Names only: values of a context may be secret. */
function undeclared(name: string, context: Context): PythonError {
  const known = Object.keys(context).join(', ')
  return new PythonError('ValueError', `'${name}' is not known here; known are ${known || 'none'}`)
}

/** What anything thrown while rendering becomes. */
export function failure(source: string, at: number, error: unknown): AirbyteError {
  if (error instanceof AirbyteError) return error
  if (error instanceof RangeError)
    return templateError('TEMPLATE_FAILED', source, at, new Error('nested too deep'))
  if (error instanceof Error) return templateError('TEMPLATE_FAILED', source, at, error)
  return templateError('TEMPLATE_FAILED', source, at, new Error(String(error)))
}
