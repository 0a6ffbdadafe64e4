import type { z } from 'zod'
import { nearest } from '../core/nearest.ts'
import { AirbyteError } from '../protocol/index.ts'

/** The input, parsed; VALIDATION_FAILED naming the first wrong field and listing the rest. */
export function parseInput<S extends z.ZodObject>(schema: S, raw: unknown): z.output<S> {
  const result = schema.safeParse(raw ?? {})
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => describe(issue, schema))
  const [first] = problems
  throw new AirbyteError('VALIDATION_FAILED', problems.map((p) => p.text).join('; '), {
    field: first?.field,
    didYouMean: first?.didYouMean,
  })
}

/** No form of ours nests so deep; code that walks values by recursion would run out of stack. */
const MAX_DEPTH = 100

/** @throws VALIDATION_FAILED for values that are nested deeper than anything we take */
export function refuseDeep(raw: unknown): void {
  let level: unknown[] = [raw]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) {
      const message = `The arguments are nested more than ${MAX_DEPTH} levels deep.`
      throw new AirbyteError('VALIDATION_FAILED', message)
    }
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    )
  }
}

interface Problem {
  field: string
  text: string
  didYouMean?: string[]
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodObject): Problem {
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const field = pathText([...issue.path, key])
    const known = issue.path.length === 0 ? Object.keys(schema.shape) : []
    const didYouMean = nearest(key, known)
    return {
      field,
      text: `${field} is not a known field`,
      ...(didYouMean.length > 0 && { didYouMean }),
    }
  }
  const field = pathText(issue.path)
  const missing = issue.code === 'invalid_type' && issue.message.includes('received undefined')
  return {
    field,
    text: `${field || 'input'}: ${missing ? 'is required' : lowerFirst(issue.message)}`,
  }
}

/** `['streams', 0, 'name']` → `streams[0].name`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number'
        ? `${text}[${part}]`
        : text
          ? `${text}.${String(part)}`
          : String(part),
    '',
  )
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)
