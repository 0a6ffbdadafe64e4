import { AirbyteError } from '../../../protocol/index.ts'

/** A response's bytes as they come in. */
export type Chunks = AsyncIterable<Uint8Array>

/**
 * Text in pieces, characters whole.
 *
 * @param encoding a name that Python knows; UTF-8 keeps its byte order mark unless it says `sig`
 * @throws UNSUPPORTED for an encoding that is not known
 */
export async function* decodeText(chunks: Chunks, encoding = 'utf-8'): AsyncGenerator<string> {
  const decoder = decoderOf(encoding)
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true })
  const rest = decoder.decode()
  if (rest !== '') yield rest
}

function decoderOf(encoding: string): TextDecoder {
  const name = encoding.toLowerCase().replaceAll('_', '-')
  const label = LABELS[name] ?? name
  try {
    return new TextDecoder(label, {
      fatal: false,
      ignoreBOM: label === 'utf-8' && name !== 'utf-8-sig',
    })
  } catch (cause) {
    throw new AirbyteError('UNSUPPORTED', `The encoding '${encoding}' is not known.`, { cause })
  }
}

/** Python's names of encodings where the platform has another. */
const LABELS: Record<string, string> = {
  utf8: 'utf-8',
  'utf-8-sig': 'utf-8',
  'latin-1': 'latin1',
  'iso8859-1': 'latin1',
  'utf-16': 'utf-16le',
}

/** Every line end as a line feed, within pieces and across them. */
export async function* universalNewlines(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let held = ''
  for await (const text of texts) {
    const whole = held + text
    held = whole.endsWith('\r') ? '\r' : ''
    const now = held ? whole.slice(0, -1) : whole
    yield now.includes('\r') ? now.replace(/\r\n?/g, '\n') : now
  }
  if (held) yield '\n'
}

/** The lines that each piece completes. */
export async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string[]> {
  let parts: string[] = []
  for await (const text of texts) {
    const lines = text.split('\n')
    const last = lines.pop() as string
    if (lines.length > 0) {
      // A line may span many pieces: they are joined once.
      lines[0] = parts.join('') + lines[0]
      parts = []
    }
    parts.push(last)
    yield lines
  }
  const rest = parts.join('')
  if (rest !== '') yield [rest]
}

/** The whole as one text. */
export async function textOf(chunks: Chunks): Promise<string> {
  const parts: string[] = []
  const decoder = new TextDecoder()
  for await (const chunk of chunks) parts.push(decoder.decode(chunk, { stream: true }))
  parts.push(decoder.decode())
  return parts.join('')
}
