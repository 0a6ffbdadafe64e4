import { AirbyteError } from '../../../protocol/errors.ts'

/** A template that cannot be read, with the place in it. */
export class TemplateSyntaxError extends Error {
  override readonly name = 'TemplateSyntaxError'
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** `line 1, column 14`, both counted from one. */
export function placeOf(source: string, at: number): string {
  const before = source.slice(0, at)
  const line = before.split('\n').length
  return `line ${line}, column ${at - before.lastIndexOf('\n')}`
}

const MAX_SHOWN = 200

/** The template as an error shows it: never its values, which may be secret. */
export const shown = (source: string): string =>
  source.length > MAX_SHOWN ? `${source.slice(0, MAX_SHOWN)}…` : source

export function templateError(
  code: 'TEMPLATE_INVALID' | 'TEMPLATE_FAILED',
  source: string,
  at: number,
  cause: Error,
): AirbyteError {
  return new AirbyteError(
    code,
    `${cause.message} (in the template ${shown(source)}, ${placeOf(source, at)})`,
    { cause },
  )
}
