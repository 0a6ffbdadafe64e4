/** The members of one JSON object, each value as the text it has there: no digit is touched. */
export function membersOf(line: string): Map<string, string> {
  const members = new Map<string, string>()
  let at = skipSpace(line, 0)
  if (line[at] !== '{') throw new SyntaxError('a line is not a JSON object')
  at = skipSpace(line, at + 1)
  while (line[at] !== '}') {
    const nameEnd = valueEnd(line, at)
    const name = JSON.parse(line.slice(at, nameEnd)) as string
    at = skipSpace(line, nameEnd)
    if (line[at] !== ':') throw new SyntaxError('a member has no value')
    const from = skipSpace(line, at + 1)
    const to = valueEnd(line, from)
    members.set(name, line.slice(from, to).trimEnd())
    at = skipSpace(line, to)
    if (line[at] === ',') at = skipSpace(line, at + 1)
    else if (line[at] !== '}') throw new SyntaxError('an object does not end')
  }
  return members
}

/** The elements of one JSON array, each as the text it has there. */
export function* elementsIn(array: string): Generator<string> {
  let at = skipSpace(array, 0)
  if (array[at] !== '[') throw new SyntaxError('a value is not a JSON array')
  at = skipSpace(array, at + 1)
  while (array[at] !== ']') {
    const end = valueEnd(array, at)
    yield array.slice(at, end).trimEnd()
    at = skipSpace(array, end)
    if (array[at] === ',') at = skipSpace(array, at + 1)
    else if (array[at] !== ']') throw new SyntaxError('an array does not end')
  }
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= 32) at++
  return at
}

/** Where the JSON value that begins at `from` ends. */
function valueEnd(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (character === '"') {
      at++
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
      if (depth === 0) return at + 1
    } else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') {
      if (depth === 0) return at
      depth--
      if (depth === 0) return at + 1
    } else if (depth === 0 && (character === ',' || character === ':')) return at
  }
  throw new SyntaxError('a value does not end')
}

/** Lines of a stream of UTF-8, without their ends. */
export async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const lines of lineBlocksOf(source)) yield* lines
}

/** The same, by what came together. */
export async function* lineBlocksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of source) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield lines
  }
  rest += decoder.decode()
  if (rest !== '') yield [rest]
}
