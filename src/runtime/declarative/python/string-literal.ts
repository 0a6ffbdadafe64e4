const ESCAPE =
  /\\(?:\n|([\\'"abfnrtv])|([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([xuUN]))/g

const CHARACTERS: Record<string, string> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** Resolves the escapes of a Python string literal; undefined when one is malformed. */
export function unescapeText(body: string): string | undefined {
  if (!body.includes('\\')) return body
  let isMalformed = false
  const text = body.replace(ESCAPE, (_all, short, octal, hex, u4, u8, bad) => {
    if (short) return CHARACTERS[short] ?? ''
    if (octal) return String.fromCodePoint(Number.parseInt(octal, 8))
    const code = hex ?? u4 ?? u8
    if (bad || (u8 && Number.parseInt(u8, 16) > 0x10ffff)) isMalformed = true
    else if (code) return String.fromCodePoint(Number.parseInt(code, 16))
    return ''
  })
  return isMalformed ? undefined : text
}

const STRING =
  /(?:[rR]|[uU])?(?:"""((?:[^\\]|\\[\s\S])*?)"""|'''((?:[^\\]|\\[\s\S])*?)'''|"([^\\"\n]*(?:\\[\s\S][^\\"\n]*)*)"|'([^\\'\n]*(?:\\[\s\S][^\\'\n]*)*)')/y

/** Reads one Python string literal at a position: its value and where it ends. */
export function readString(text: string, at: number): { value: string; end: number } | undefined {
  STRING.lastIndex = at
  const match = STRING.exec(text)
  if (!match) return undefined
  const body = match[1] ?? match[2] ?? match[3] ?? match[4] ?? ''
  const isRaw = text[at] === 'r' || text[at] === 'R'
  const value = isRaw ? body : unescapeText(body)
  return value === undefined ? undefined : { value, end: at + match[0].length }
}
