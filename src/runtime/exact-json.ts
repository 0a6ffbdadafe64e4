/** A value as JSON text; a `bigint`, which plain `JSON.stringify` refuses, with all its digits. */
export function exactJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    // Only big integers (and circles, which parsed JSON cannot have) make it throw.
    return JSON.stringify(value, exactIntegers)
  }
}

function exactIntegers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJson(String(value)) : value
}

const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }
