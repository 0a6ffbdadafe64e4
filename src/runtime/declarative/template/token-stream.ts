import type { Token, TokenType } from './lexer.ts'
import { TemplateSyntaxError } from './syntax-error.ts'

/** Nested deeper than this, a template is refused: it could exhaust the stack. */
const MAX_DEPTH = 100

/** Tokens under a cursor, with the questions that a parser asks of them. */
export class TokenStream {
  readonly #tokens: Token[]
  #index = 0
  #depth = 0

  constructor(tokens: Token[]) {
    this.#tokens = tokens
  }

  get current(): Token {
    return this.#tokens[this.#index] as Token
  }

  get next(): Token | undefined {
    return this.#tokens[this.#index + 1]
  }

  advance(): Token {
    const token = this.current
    if (token.type !== 'end') this.#index++
    return token
  }

  is(type: TokenType, text?: string): boolean {
    return this.current.type === type && (text === undefined || this.current.text === text)
  }

  isOperator = (text: string): boolean => this.is('operator', text)
  isName = (text: string): boolean => this.is('name', text)

  skip(type: TokenType, text?: string): boolean {
    if (!this.is(type, text)) return false
    this.#index++
    return true
  }

  expect(type: TokenType, text?: string): Token {
    if (this.is(type, text)) return this.advance()
    throw this.unexpected(text ?? type)
  }

  unexpected(wanted?: string): TemplateSyntaxError {
    const { text, at } = this.current
    return new TemplateSyntaxError(
      wanted ? `expected '${wanted}', got '${text}'` : `unexpected '${text}'`,
      at,
    )
  }

  /** Runs a parse step one level deeper. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH)
      throw new TemplateSyntaxError('the template is nested too deep', this.current.at)
    const result = parse()
    this.#depth--
    return result
  }
}
