import type { Value } from '../python/values.ts'
import { CaseInsensitiveMap } from '../template/index.ts'
import { parseJson } from './json-body.ts'

/** An HTTP response with its body read. */
export class Answer {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  #text: string | undefined
  #json: { value: Value } | undefined

  constructor(url: string, status: number, headers: Headers, bytes: Uint8Array) {
    this.url = url
    this.status = status
    this.headers = headers
    this.bytes = bytes
  }

  get ok(): boolean {
    return this.status < 400
  }

  /** The body as text, without a byte order mark. */
  get text(): string {
    this.#text ??= new TextDecoder().decode(this.bytes)
    return this.#text
  }

  /** The body as JSON, with every digit of integers; undefined when it is not JSON. */
  get json(): Value | undefined {
    if (!this.#json) {
      let value: Value
      try {
        value = parseJson(this.text)
      } catch {
        value = undefined
      }
      this.#json = { value }
    }
    return this.#json.value
  }
}

/** Response headers as templates see them: names in any letter case. */
export const headersOf = ({ headers }: Answer) => new CaseInsensitiveMap(headers)

/** What pagination templates see: the headers, with `link` parsed into `{rel: {url, rel, …}}`. */
export function paginationHeaders({ headers }: Answer): CaseInsensitiveMap {
  return new CaseInsensitiveMap([...headers, ['link', parseLinks(headers.get('link'))]])
}

/** @see https://www.rfc-editor.org/rfc/rfc8288 */
function parseLinks(header: string | null): Record<string, Value> {
  const links: Record<string, Value> = {}
  if (!header) return links
  for (const match of header.matchAll(/<([^>]*)>([^<]*)/g)) {
    const link: Record<string, Value> = { url: match[1] }
    for (const [, name = '', value = ''] of (match[2] ?? '').matchAll(
      /;\s*([^=;\s,]+)\s*=\s*"?([^";,]*)"?/g,
    )) {
      link[name] = value
    }
    links[String(link.rel ?? link.url)] = link
  }
  return links
}
