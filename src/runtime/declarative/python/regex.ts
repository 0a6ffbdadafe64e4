import { PythonError } from './errors.ts'
import { type Matcher, MatcherCompiler, type Run, step } from './regex-match.ts'
import { parseRegex } from './regex-parse.ts'
import { compileReplacement } from './regex-replacement.ts'

/** A match: offsets in code points, and what each group took (group 0 is all of it). */
export interface RegexMatch {
  start: number
  end: number
  groups: (string | undefined)[]
  names: ReadonlyMap<string, number>
}

/** A pattern of Python's `re`, run by a matcher of our own that stops after a fixed number of steps. */
export interface Regex {
  /** The first match anywhere, as `re.search`. */
  search(text: string): RegexMatch | undefined
  /** A match at the very beginning, as `re.match`. */
  match(text: string): RegexMatch | undefined
  /** `re.findall`-like: all matches, left to right. */
  matches(text: string): RegexMatch[]
  /** `re.sub`: every match replaced; `\1` and `\g<name>` stand for groups. */
  replace(text: string, replacement: string): string
}

const compiled = new Map<string, Regex>()
const MAX_PATTERNS = 500

/**
 * Compiles a pattern, once for each distinct text.
 * @throws PythonError RegexError when Python's `re` would refuse it; LimitError from its methods
 */
export function compileRegex(pattern: string): Regex {
  const known = compiled.get(pattern)
  if (known) return known
  const made = create(pattern)
  if (compiled.size >= MAX_PATTERNS) compiled.clear()
  compiled.set(pattern, made)
  return made
}

function create(pattern: string): Regex {
  const { node, groups, names } = parseRegex(pattern)
  const compiler = new MatcherCompiler()
  const matcher: Matcher = compiler.compile(node, (run, at) =>
    at === run.start && at === run.notEmptyAt ? -1 : at,
  )

  const start = (codes: ArrayLike<number>): Run => ({
    codes,
    captures: new Array(groups * 2 + 2).fill(-1),
    opened: new Array(groups + 1).fill(-1),
    counts: new Array(compiler.repeats).fill(0),
    lastAt: new Array(compiler.repeats).fill(-1),
    steps: 0,
    depth: 0,
    start: 0,
    notEmptyAt: -1,
  })

  const tryAt = (run: Run, at: number): RegexMatch | undefined => {
    step(run)
    run.start = at
    run.depth = 0
    run.captures.fill(-1)
    const end = guarded(() => matcher(run, at))
    if (end < 0) return undefined
    run.captures[0] = at
    run.captures[1] = end
    return toMatch(run, groups, names)
  }

  const searchFrom = (run: Run, from: number): RegexMatch | undefined => {
    for (let at = from; at <= run.codes.length; at++) {
      const match = tryAt(run, at)
      if (match) return match
    }
    return undefined
  }

  const all = (text: string): RegexMatch[] => {
    const run = start(codesOf(text))
    const found: RegexMatch[] = []
    for (let at = 0; at <= run.codes.length; ) {
      const match = searchFrom(run, at)
      if (!match) break
      found.push(match)
      at = match.end
      run.notEmptyAt = match.end === match.start ? match.end : -1
    }
    return found
  }

  return {
    search: (text) => searchFrom(start(codesOf(text)), 0),
    match: (text) => tryAt(start(codesOf(text)), 0),
    matches: all,
    replace: (text, replacement) => {
      const write = compileReplacement(replacement, groups, names)
      const codes = codesOf(text)
      let output = ''
      let at = 0
      for (const match of all(text)) {
        output += textOf(codes, at, match.start) + write(match)
        at = match.end
      }
      return output + textOf(codes, at, codes.length)
    },
  }
}

function guarded(run: () => number): number {
  try {
    return run()
  } catch (error) {
    if (error instanceof RangeError)
      throw new PythonError('LimitError', 'a regular expression nests too deep on one text')
    throw error
  }
}

const codesOf = (text: string): ArrayLike<number> =>
  Uint32Array.from(Array.from(text), (character) => character.codePointAt(0) ?? 0)

function textOf(codes: ArrayLike<number>, from: number, to: number): string {
  let text = ''
  for (let at = from; at < to; at++) text += String.fromCodePoint(codes[at] as number)
  return text
}

function toMatch(run: Run, groups: number, names: ReadonlyMap<string, number>): RegexMatch {
  const texts = Array.from({ length: groups + 1 }, (_, index) => {
    const from = run.captures[index * 2] ?? -1
    const to = run.captures[index * 2 + 1] ?? -1
    return to < 0 ? undefined : textOf(run.codes, from, to)
  })
  return { start: run.captures[0] ?? 0, end: run.captures[1] ?? 0, groups: texts, names }
}
