/**
 * PostgreSQL's text of a composite value: `(1,,"a ""b""")`.
 * @see https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX
 */

/**
 * The fields in their order, null where there is none; undefined if the text is no composite of so
 * many fields.
 * @example
 * recordFields('(1,,"a ""b""")', 3) // ['1', null, 'a "b"']
 */
export function recordFields(text: string, count: number): (string | null)[] | undefined {
  if (!text.startsWith('(') || !text.endsWith(')')) return undefined
  const end = text.length - 1
  if (count === 0) return end === 1 ? [] : undefined
  const fields: (string | null)[] = []
  for (let at = 1; ; at++) {
    const field = fieldAt(text, at)
    fields.push(field.value)
    at = field.end
    if (at === end) return fields.length === count ? fields : undefined
    if (text[at] !== ',') return undefined
  }
}

/** Quotes may begin within a field; a quote or a backslash is doubled, or has a backslash before it. */
function fieldAt(text: string, start: number): { value: string | null; end: number } {
  let value = ''
  let isQuoted = false
  let at = start
  for (; at < text.length; at++) {
    const char = text[at]
    if (char === '\\') value += text[++at] ?? ''
    else if (char === '"' && isQuoted && text[at + 1] === '"') value += text[at++]
    else if (char === '"') isQuoted = !isQuoted
    else if (!isQuoted && (char === ',' || char === ')')) break
    else value += char
  }
  return { value: at === start ? null : value, end: at }
}
