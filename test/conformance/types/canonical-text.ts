import type { Column } from '../../../src/protocol/index.ts'
import { canonical, exactParse } from '../canonical.ts'

const NON_FINITE: Record<string, string> = {
  ...{ nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' },
  ...{ NaN: 'NaN', Infinity: 'Infinity', '-Infinity': '-Infinity' },
}
const BOOLEANS: Record<string, string> = { t: 'true', f: 'false', '1': 'true', '0': 'false' }

/** One form for a value of this column, whichever server or reader printed it. */
export function canonicalText({ type, native }: Column, text: string | null): string | null {
  if (text === null) return null
  switch (type) {
    case 'number':
      if (NON_FINITE[text]) return NON_FINITE[text]
      if (/^(?:real|float)\b/.test(native?.type ?? '')) return String(Math.fround(Number(text)))
      if (/^double\b/.test(native?.type ?? '')) return String(Number(text))
      break
    case 'boolean':
      return BOOLEANS[text] ?? text
    case 'object':
    case 'array':
    case 'unknown':
      // An array with bounds of its own is no JSON.
      return text.startsWith('[') && text.includes(']=') ? text : ordered(exactParse(text))
    case 'binary':
      return text.toLowerCase()
  }
  return String(canonical(type, text))
}

/** Keys in one order, times in one form. */
function ordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(ordered).join(',')}]`
  if (typeof value === 'string') {
    const isTime = /^\d{4,}-\d\d-\d\d[ T]\d\d:/.test(value)
    return JSON.stringify(isTime ? canonical('timestamp_with_timezone', value) : value)
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${ordered(field)}`).join(',')}}`
}
