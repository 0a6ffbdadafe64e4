const KEPT = /[A-Za-z0-9_.\-~]/
const encoder = new TextEncoder()

/** Python's `urllib.parse.quote(text, safe)`: UTF-8 in percent signs, capitals. */
export function quote(text: string, safe = '/'): string {
  let output = ''
  for (const character of text) {
    if (KEPT.test(character) || safe.includes(character)) output += character
    else
      for (const byte of encoder.encode(character))
        output += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return output
}

/** Python's `quote_plus`: as `quote` with nothing safe, and blanks as `+`. */
export const quotePlus = (text: string): string => quote(text, ' ').replaceAll(' ', '+')
