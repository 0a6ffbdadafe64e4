import { PythonError } from '../python/errors.ts'
import type { Value } from '../python/values.ts'

/** What a template can name: `config`, `record`, `response`… */
export type Context = { readonly [name: string]: Value }

const MAX_STEPS = 1_000_000
const MAX_OUTPUT = 10_000_000

/** Variables of a template, or of one turn of a loop. */
export class Scope {
  readonly variables = new Map<string, Value>()
  readonly parent: Scope | undefined

  constructor(parent?: Scope) {
    this.parent = parent
  }
}

/** One rendering: its context, its variables, how far it got and what it may still use up. */
export class Frame {
  readonly context: Context
  scope: Scope | undefined
  /** Offset of what is being evaluated, for the error message. */
  at = 0
  #steps = 0
  #written = 0

  constructor(context: Context) {
    this.context = context
  }

  /** Counts one turn of a loop. */
  step(): void {
    if (++this.#steps > MAX_STEPS)
      throw new PythonError('LimitError', `loops ran more than ${MAX_STEPS} times`)
  }

  /** Counts output before it is kept. */
  wrote(text: string): string {
    this.#written += text.length
    if (this.#written > MAX_OUTPUT)
      throw new PythonError('LimitError', `the output would pass ${MAX_OUTPUT} characters`)
    return text
  }

  assign(name: string, value: Value): void {
    if (!this.scope) this.scope = new Scope()
    this.scope.variables.set(name, value)
  }

  local(name: string): Value {
    for (let scope = this.scope; scope; scope = scope.parent)
      if (scope.variables.has(name)) return scope.variables.get(name)
    return undefined
  }

  /** Runs with variables of its own, dropped afterwards. */
  scoped<T>(run: () => T): T {
    const outer = this.scope
    this.scope = new Scope(outer)
    try {
      return run()
    } finally {
      this.scope = outer
    }
  }
}
