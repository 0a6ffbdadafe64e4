/** Text below this is parsed as one piece: the syntax tree of YAML is a hundred times its text. */
const PIECE = 32 * 1024

/** Parses text that begins at a line of the whole, counted from 0. */
type ParsePiece = (text: string, line: number) => unknown

/** An anchor where a value may begin: the parts of such a text do not stand for themselves. */
const ANCHOR = /(?:^|[:\-?][ \t]+|[[{,][ \t]*)&[^\s,[\]{}]+(?=\s)/m
/** Directives and further documents. */
const MARKER = /\n(?:---|\.\.\.|%)/
const ENTRY =
  /^( *)(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"'[\]{}&*!|>%@`?,-][^:#]*?) *:(?= |$) *(#.*)?(.*)$/
const ITEM = /^( *)-(?= |$)/

/**
 * The data of a YAML text, entry by entry of its blocks where it is long, so that a manifest of a
 * megabyte fits into a Worker's memory. What cannot be told apart by its indentation is one piece,
 * and what does not parse in pieces is tried as a whole, which has the last word.
 */
export function yamlData(text: string, parse: ParsePiece): unknown {
  const whole = text.replace(/^---[ \t]*(?=\r?\n)/, '').replaceAll('\r\n', '\n')
  if (text.length <= PIECE || ANCHOR.test(whole) || MARKER.test(whole)) return parse(text, 0)
  try {
    return block(whole.split('\n'), 0, parse)
  } catch {
    return parse(text, 0)
  }
}

function block(lines: string[], line: number, parse: ParsePiece): unknown {
  const whole = () => parse(lines.join('\n'), line)
  const first = lines.findIndex((text) => !isBlank(text))
  const indent = indentOf(lines[first] ?? '')
  if (first === -1 || sizeOf(lines) <= PIECE) return whole()
  const isList = ITEM.test(lines[first] as string)
  const parts = split(lines, indent, isList ? ITEM : ENTRY, isList)
  if (!parts) return whole()
  return isList
    ? parts.map((part) => item(part, line, parse))
    : Object.fromEntries(parts.flatMap((part) => Object.entries(entry(part, line, parse))))
}

interface Part {
  lines: string[]
  /** Of the first line, within the block. */
  at: number
}

/** The entries or items of a block; undefined where a line begins neither. */
function split(lines: string[], indent: number, begins: RegExp, isList: boolean) {
  const parts: Part[] = []
  for (const [at, text] of lines.entries()) {
    const continues = isBlank(text) || indentOf(text) > indent || (!isList && ITEM.test(text))
    if (!continues && (indentOf(text) < indent || !begins.test(text))) return undefined
    if (!continues) parts.push({ lines: [text], at })
    else if (parts.length > 0) parts.at(-1)?.lines.push(text)
    else if (!isBlank(text)) return undefined
  }
  return parts
}

function entry({ lines, at }: Part, line: number, parse: ParsePiece): object {
  const [head = '', ...rest] = lines
  const [, , , value] = ENTRY.exec(head) ?? []
  const isNested = value === '' && rest.some((text) => !isBlank(text))
  if (!isNested) return parse(lines.join('\n'), line + at) as object
  const [key = ''] = Object.keys(parse(head, line + at) as object)
  // An own property, whatever its name.
  return Object.fromEntries([[key, block(rest, line + at + 1, parse)]])
}

function item({ lines, at }: Part, line: number, parse: ParsePiece): unknown {
  const [head = '', ...rest] = lines
  const inner = head.replace('-', ' ')
  if (isBlank(inner) || ENTRY.test(inner) || ITEM.test(inner)) {
    return block([inner, ...rest], line + at, parse)
  }
  return (parse(lines.join('\n'), line + at) as unknown[])[0]
}

const isBlank = (text: string) => /^\s*(?:#|$)/.test(text)
const indentOf = (text: string) => text.length - text.trimStart().length
const sizeOf = (lines: string[]) => lines.reduce((sum, text) => sum + text.length, 0)
