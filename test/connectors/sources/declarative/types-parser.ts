import type { Field, Shape } from './shape.ts'

/**
 * Reads the part of TypeScript that `openapi-typescript` writes: interfaces and types of object types, unions,
 * intersections, arrays, tuples, literals, `Record`, and look-ups such as
 * `components["schemas"]["issue"]`. Comments count only for the `Format:` in them.
 */
export function parseInterfaces(text: string): Map<string, Shape> {
  const found = new Map<string, Shape>()
  const start = /^(?:export )?(?:interface (\w+) |type (\w+) = )/gm
  for (let match = start.exec(text); match; match = start.exec(text)) {
    const parser = new TypeParser(text, match.index + match[0].length)
    found.set((match[1] ?? match[2]) as string, parser.type())
    start.lastIndex = parser.end
  }
  return found
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|[A-Za-z_$][\w$]*|\S/y
const GAP = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
const KEYWORDS: Record<string, Shape> = {
  string: { kind: 'string' },
  number: { kind: 'number' },
  bigint: { kind: 'number' },
  boolean: { kind: 'boolean' },
  unknown: { kind: 'any' },
  any: { kind: 'any' },
  never: { kind: 'never' },
  undefined: { kind: 'never' },
  null: { kind: 'literal', value: null },
  true: { kind: 'literal', value: true },
  false: { kind: 'literal', value: false },
}

class TypeParser {
  readonly #text: string
  /** Behind the token at hand. */
  #at: number
  #token = ''
  /** What stood between the token before and this one: comments. */
  #gap = ''

  constructor(text: string, at: number) {
    this.#text = text
    this.#at = at
    this.#next()
  }

  /** Where what was read ends. */
  get end(): number {
    return this.#at - this.#token.length
  }

  type(): Shape {
    if (this.#token === '|' || this.#token === '&') this.#next()
    const first = this.#intersection()
    const of = [first]
    while (this.#token === '|') {
      this.#next()
      of.push(this.#intersection())
    }
    return of.length > 1 ? { kind: 'union', of } : first
  }

  #intersection(): Shape {
    const first = this.#postfix()
    const of = [first]
    while (this.#token === '&') {
      this.#next()
      of.push(this.#postfix())
    }
    return of.length > 1 ? { kind: 'intersection', of } : first
  }

  #postfix(): Shape {
    let shape = this.#primary()
    while (this.#token === '[') {
      this.#next()
      if (this.#is(']')) shape = { kind: 'array', items: shape }
      else if (shape.kind === 'reference') {
        shape = { kind: 'reference', path: [...shape.path, JSON.parse(this.#token) as string] }
        this.#next()
      }
      this.#expect(']')
    }
    return shape
  }

  #primary(): Shape {
    const token = this.#token
    if (token === '{') return this.#object()
    this.#next()
    if (token === '(') {
      const shape = this.type()
      this.#expect(')')
      return shape
    }
    if (token === '[') return { kind: 'array', items: { kind: 'union', of: this.#list(']') } }
    if (token === 'readonly') return this.#postfix()
    if (token.startsWith('"')) return { kind: 'literal', value: JSON.parse(token) as string }
    if (/^-?\d/.test(token)) return { kind: 'literal', value: Number(token) }
    return this.#named(token)
  }

  #named(name: string): Shape {
    if (this.#token !== '<') return KEYWORDS[name] ?? { kind: 'reference', path: [name] }
    this.#next()
    const given = this.#list('>')
    const [first = { kind: 'any' }, second = { kind: 'any' }] = given
    if (name === 'Record') return { kind: 'object', fields: new Map(), others: second }
    if (name === 'Array') return { kind: 'array', items: first }
    // OneOf<[A, B]>: the tuple's items are already a union.
    return first.kind === 'array' ? first.items : first
  }

  #list(end: string): Shape[] {
    const shapes: Shape[] = []
    while (this.#token !== end) {
      shapes.push(this.type())
      if (this.#token === ',') this.#next()
    }
    this.#next()
    return shapes
  }

  #object(): Shape {
    this.#expect('{')
    const fields = new Map<string, Field>()
    let others: Shape | undefined
    while (this.#token !== '}') {
      const format = /Format: ([\w-]+)/.exec(this.#gap)?.[1]
      if (this.#token === 'readonly') this.#next()
      if (this.#token === '[') {
        while (!this.#is(']')) this.#next()
        this.#next()
        this.#expect(':')
        others = this.type()
      } else {
        const name = this.#token.startsWith('"') ? JSON.parse(this.#token) : this.#token
        this.#next()
        const required = this.#token !== '?'
        if (!required) this.#next()
        this.#expect(':')
        fields.set(name, { required, shape: this.type(), ...(format ? { format } : {}) })
      }
      if (this.#token === ';') this.#next()
    }
    this.#next()
    return { kind: 'object', fields, ...(others ? { others } : {}) }
  }

  #is(token: string): boolean {
    return this.#token === token
  }

  #expect(token: string): void {
    if (!this.#is(token)) {
      const line = this.#text.slice(0, this.#at).split('\n').length
      throw new Error(`'${token}' is expected in line ${line}, not '${this.#token}'`)
    }
    this.#next()
  }

  #next(): void {
    GAP.lastIndex = this.#at
    this.#gap = GAP.exec(this.#text)?.[0] ?? ''
    TOKEN.lastIndex = this.#at + this.#gap.length
    this.#token = TOKEN.exec(this.#text)?.[0] ?? ''
    this.#at += this.#gap.length + this.#token.length
  }
}
