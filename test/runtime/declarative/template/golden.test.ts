import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { loads } from '../../../../src/runtime/declarative/python/json.ts'
import { literalEval } from '../../../../src/runtime/declarative/python/literal.ts'
import {
  type Context,
  interpolateBoolean,
  interpolateMapping,
  interpolateNested,
  interpolateString,
  StreamSlice,
} from '../../../../src/runtime/declarative/template/index.ts'
import { differences } from '../../../oracle/templates/differences.ts'
import { tag } from './tag.ts'

type Mode = 's' | 't' | 'b' | 'l' | 'm' | 'n'
type Row = [mode: Mode, context: string, template: unknown, result: unknown]

interface Head {
  cdk: string
  now: string
  contexts: Record<string, Record<string, unknown>>
}

const path = join(import.meta.dirname, '../../../oracle/templates/goldens.jsonl')
const [headText = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
const { cdk, now, contexts } = loads(headText) as Head
const rows = lines.map((line) => JSON.parse(line) as Row)

/** A fresh copy: templates may change what they are given. */
function contextNamed(name: string): Context {
  const context = structuredClone(contexts[name])
  const slice = context?.stream_slice as Record<string, unknown>
  return {
    ...context,
    parameters: {},
    stream_slice: new StreamSlice({
      partition: slice.partition,
      cursorSlice: slice.cursor_slice,
      extraFields: slice.extra_fields,
    }),
  }
}

function evaluate(mode: Mode, template: unknown, context: Context): unknown {
  if (mode === 'l') {
    const value = literalEval(template as string)
    return value === undefined ? template : value
  }
  if (mode === 'b') return interpolateBoolean(template as string, context)
  if (mode === 'm') return interpolateMapping(template as Record<string, unknown>, context)
  if (mode === 'n') return interpolateNested(template, context)
  if (mode === 's') return interpolateString(template as string, context)
  return interpolateString(template as string, context, {
    validTypes: ['str', 'list'],
    default: null,
  })
}

function outcome(mode: Mode, template: unknown, context: Context): unknown {
  try {
    return tag(evaluate(mode, template, context))
  } catch {
    return { error: true }
  }
}

/** Any error of the reference must be an error here; its class is Python's own affair. */
const expected = (template: unknown, result: unknown): unknown => {
  if (result === '=') return template
  const isError = typeof result === 'object' && result !== null && 'error' in result
  return isError ? { error: true } : result
}

describe(`templates beside airbyte-cdk ${cdk}`, () => {
  beforeAll(() => {
    vi.useFakeTimers({ now: new Date(now), toFake: ['Date'] })
  })
  afterAll(() => {
    vi.useRealTimers()
  })

  it('gives what the reference gives for every vector that is not a listed difference', () => {
    const unexplained: unknown[] = []
    const used = new Set<string>()
    for (const [mode, name, template, result] of rows) {
      const ours = outcome(mode, template, contextNamed(name))
      const wanted = expected(template, result)
      if (JSON.stringify(ours) === JSON.stringify(wanted)) continue
      const known = differences.find((difference) =>
        difference.covers(mode, template, wanted, ours),
      )
      if (known) used.add(known.name)
      else unexplained.push({ mode, template, wanted, ours })
    }
    if (process.env.GOLDEN_REPORT)
      for (const row of unexplained.slice(0, 400)) console.log(JSON.stringify(row))
    expect(unexplained.length, JSON.stringify(unexplained.slice(0, 5))).toBe(0)
    expect([...used].sort()).toEqual(differences.map(({ name }) => name).sort())
  }, 60_000)

  it('holds at least three thousand vectors', () => {
    expect(rows.length).toBeGreaterThan(3000)
  })
})
