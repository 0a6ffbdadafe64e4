import { PythonError, spend } from './errors.ts'
import { fold, isWordCode } from './regex-classes.ts'
import type { RegexNode } from './regex-nodes.ts'

/** A pattern that needs more steps than this on one text is stopped: it would run for ever. */
const MAX_STEPS = 2_000_000
const MAX_RECURSION = 3_000

/** One run of a pattern over a text. Positions count code points. */
export interface Run {
  codes: ArrayLike<number>
  /** Start and end of each group, -1 when it did not take part. */
  captures: number[]
  /** Where each group now being matched began. */
  opened: number[]
  counts: number[]
  lastAt: number[]
  steps: number
  depth: number
  start: number
  /** A match may not be empty here: an empty one just ended at this place. */
  notEmptyAt: number
}

/** Gives the end of the match, or -1. */
export type Matcher = (run: Run, at: number) => number

export function step(run: Run): void {
  if (++run.steps % 1024 === 0) spend(10_000)
  if (run.steps > MAX_STEPS)
    throw new PythonError('LimitError', 'a regular expression ran too long on one text')
}

export class MatcherCompiler {
  #repeats = 0

  get repeats(): number {
    return this.#repeats
  }

  /** The matcher of a node that goes on with `next`. */
  compile(node: RegexNode, next: Matcher): Matcher {
    switch (node.type) {
      case 'code': {
        const { test } = node
        return (run, at) => {
          const code = run.codes[at]
          return code !== undefined && test(code) ? next(run, at + 1) : -1
        }
      }
      case 'assert': {
        const holds = ASSERTIONS[node.at]
        return (run, at) => (holds(run, at) ? next(run, at) : -1)
      }
      case 'sequence':
        return node.items.reduceRight((after, item) => this.compile(item, after), next)
      case 'either': {
        const options = node.options.map((option) => this.compile(option, next))
        return (run, at) => {
          for (const option of options) {
            step(run)
            const end = option(run, at)
            if (end >= 0) return end
          }
          return -1
        }
      }
      case 'group':
        return this.#group(node.index, node.of, next)
      case 'repeat':
        return this.#repeat(node, next)
      case 'reference':
        return reference(node.group, node.ignoreCase, next)
      case 'look':
        return this.#look(node, next)
      case 'atomic': {
        const inner = this.compile(node.of, ACCEPT)
        return (run, at) => {
          const end = inner(run, at)
          return end < 0 ? -1 : next(run, end)
        }
      }
      case 'conditional': {
        const matched = this.compile(node.matched, next)
        const otherwise = this.compile(node.otherwise, next)
        return (run, at) =>
          ((run.captures[node.group * 2 + 1] ?? -1) >= 0 ? matched : otherwise)(run, at)
      }
    }
  }

  #group(index: number, of: RegexNode, next: Matcher): Matcher {
    const inner = this.compile(of, (run, at) => {
      const from = run.captures[index * 2] ?? -1
      const to = run.captures[index * 2 + 1] ?? -1
      run.captures[index * 2] = run.opened[index] ?? at
      run.captures[index * 2 + 1] = at
      const end = next(run, at)
      if (end >= 0) return end
      run.captures[index * 2] = from
      run.captures[index * 2 + 1] = to
      return -1
    })
    return (run, at) => {
      const before = run.opened[index] ?? -1
      run.opened[index] = at
      const end = deeper(run, () => inner(run, at))
      if (end < 0) run.opened[index] = before
      return end
    }
  }

  #repeat(node: RegexNode & { type: 'repeat' }, next: Matcher): Matcher {
    if (node.mode === 'possessive') {
      const greedy = this.compile({ ...node, mode: 'greedy' }, ACCEPT)
      return (run, at) => {
        const end = greedy(run, at)
        return end < 0 ? -1 : next(run, end)
      }
    }
    if (node.of.type === 'code') return repeatCode(node.of.test, node, next)
    return this.#repeatAny(node, next)
  }

  #repeatAny(node: RegexNode & { type: 'repeat' }, next: Matcher): Matcher {
    const id = this.#repeats++
    const { min, max, mode } = node
    let body: Matcher = ACCEPT
    const again: Matcher = (run, at) => {
      step(run)
      const count = run.counts[id] ?? 0
      const last = run.lastAt[id] ?? -1
      const mayRepeat = count < min || (count < max && at !== last)
      const once = () => {
        if (!mayRepeat) return -1
        run.counts[id] = count + 1
        run.lastAt[id] = at
        const end = deeper(run, () => body(run, at))
        if (end < 0) {
          run.counts[id] = count
          run.lastAt[id] = last
        }
        return end
      }
      if (mode === 'greedy') {
        const end = once()
        if (end >= 0) return end
      }
      if (count >= min) {
        const end = next(run, at)
        if (end >= 0) return end
      }
      return mode === 'lazy' ? once() : -1
    }
    body = this.compile(node.of, again)
    return (run, at) => {
      const count = run.counts[id] ?? 0
      const last = run.lastAt[id] ?? -1
      run.counts[id] = 0
      run.lastAt[id] = -1
      const end = again(run, at)
      if (end >= 0) return end
      run.counts[id] = count
      run.lastAt[id] = last
      return -1
    }
  }

  #look(node: RegexNode & { type: 'look' }, next: Matcher): Matcher {
    const inner = this.compile(node.of, ACCEPT)
    const width = node.behind ? widthOf(node.of) : 0
    return (run, at) => {
      const from = at - width
      const found = from >= 0 && deeper(run, () => inner(run, from)) >= 0
      return found === node.negated ? -1 : next(run, at)
    }
  }
}

const ACCEPT: Matcher = (_run, at) => at

function deeper(run: Run, go: () => number): number {
  if (++run.depth > MAX_RECURSION)
    throw new PythonError('LimitError', 'a regular expression nests too deep on one text')
  const end = go()
  run.depth--
  return end
}

/** Repeats of one character need no recursion. */
function repeatCode(
  test: (code: number) => boolean,
  { min, max, mode }: { min: number; max: number; mode: string },
  next: Matcher,
): Matcher {
  const fits = (run: Run, at: number) => {
    const code = run.codes[at]
    return code !== undefined && test(code)
  }
  if (mode === 'greedy')
    return (run, at) => {
      let end = at
      while (end - at < max && fits(run, end)) end++
      run.steps += (end - at) >> 3
      for (; end - at >= min; end--) {
        step(run)
        const found = next(run, end)
        if (found >= 0) return found
      }
      return -1
    }
  return (run, at) => {
    for (let end = at; end - at <= max; end++) {
      step(run)
      const found = end - at >= min ? next(run, end) : -1
      if (found >= 0) return found
      if (!fits(run, end)) return -1
    }
    return -1
  }
}

function reference(group: number, ignoreCase: boolean, next: Matcher): Matcher {
  return (run, at) => {
    const from = run.captures[group * 2] ?? -1
    const to = run.captures[group * 2 + 1] ?? -1
    if (to < 0) return -1
    for (let i = 0; i < to - from; i++) {
      const a = run.codes[from + i] as number
      const b = run.codes[at + i]
      if (b === undefined || (a !== b && !(ignoreCase && fold(a) === fold(b)))) return -1
    }
    return next(run, at + to - from)
  }
}

const isWordAt = (run: Run, at: number) => {
  const code = run.codes[at]
  return code !== undefined && isWordCode(code)
}
const atBoundary = (run: Run, at: number) => isWordAt(run, at - 1) !== isWordAt(run, at)

const ASSERTIONS = {
  start: (_run: Run, at: number) => at === 0,
  end: (run: Run, at: number) =>
    at === run.codes.length || (at === run.codes.length - 1 && run.codes[at] === 10),
  lineStart: (run: Run, at: number) => at === 0 || run.codes[at - 1] === 10,
  lineEnd: (run: Run, at: number) => at === run.codes.length || run.codes[at] === 10,
  textEnd: (run: Run, at: number) => at === run.codes.length,
  word: atBoundary,
  notWord: (run: Run, at: number) => run.codes.length > 0 && !atBoundary(run, at),
}

/** The width of what a look-behind holds, which must be fixed. */
function widthOf(node: RegexNode): number {
  switch (node.type) {
    case 'code':
      return 1
    case 'sequence':
      return node.items.reduce((sum, item) => sum + widthOf(item), 0)
    case 'group':
    case 'atomic':
      return widthOf(node.of)
    case 'either': {
      const [first = 0, ...others] = node.options.map(widthOf)
      if (others.every((width) => width === first)) return first
      break
    }
    case 'repeat':
      if (node.min === node.max) return node.min * widthOf(node.of)
      break
    case 'assert':
    case 'look':
      return 0
    default:
  }
  throw new PythonError('RegexError', 'look-behind requires fixed-width pattern')
}
