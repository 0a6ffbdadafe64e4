/** A value as JSON text; a `bigint`, which plain `JSON.stringify` refuses, with all its digits. */
export function exactJson(value: unknown, indent?: number): string | undefined {
  try {
    return JSON.stringify(value, undefined, indent)
  } catch {
    // Only big integers (and circles, which parsed JSON cannot have) make it throw.
    return JSON.stringify(value, exactIntegers, indent)
  }
}

function exactIntegers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJson(String(value)) : value
}

const { rawJSON: rawJson, isRawJSON: isRawJson } = JSON as unknown as {
  rawJSON(text: string): unknown
  isRawJSON(value: object): value is { rawJSON: string }
}

/**
 * JSON text with every digit of its numbers: integers that a double may not hold become `bigint`,
 * long decimals stay as they are written (`numberText` gives their text, `exactJson` prints it).
 *
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  return MAY_BE_LONG.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
}

/** JSON text with every digit of its integers; decimals are doubles, as a state has them. */
export function parseExactIntegers(text: string): unknown {
  return MAY_BE_LONG.test(text) ? JSON.parse(text, keepInteger) : JSON.parse(text)
}

function keepInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  const isUnsafe = typeof value === 'number' && !Number.isSafeInteger(value)
  return isUnsafe && /^-?\d+$/.test(context?.source ?? '') ? BigInt(context?.source ?? 0) : value
}

/** The text of a decimal that `parseExactJson` kept; any other value as it is. */
export const numberText = (value: object): unknown => (isRawJson(value) ? value.rawJSON : value)

/** Fifteen digits always survive a double. */
const MAY_BE_LONG = /[\d.]{16}/

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = typeof value === 'number' ? context?.source : undefined
  if (source === undefined || source.replaceAll(/[-.]|[eE].*/g, '').length < 16) return value
  return /^-?\d+$/.test(source) ? BigInt(source) : rawJson(source)
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
