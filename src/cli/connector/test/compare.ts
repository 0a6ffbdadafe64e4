import { exactJson } from '../../../runtime/exact-json.ts'
import type { Outcome } from './case.ts'
import { alike } from './replay.ts'

const LONGEST = 120

/** Where an outcome departs from the expected one, in a line each. */
export function differences(expected: Outcome, actual: Outcome): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)]) as Set<keyof Outcome>
  return [...names].flatMap((name) => {
    const [wanted, got] = [expected[name], actual[name]]
    if (alike(wanted, got)) return []
    return [`${name}: expected ${shown(wanted)}, got ${shown(got)}`]
  })
}

function shown(value: unknown): string {
  const text = exactJson(value) ?? 'nothing'
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
