import { parseArgs } from 'node:util'
import { nearest } from '../core/nearest.ts'

/** Wrong use of the command line: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export type Flags = Record<string, string | boolean | string[] | undefined>
export type OptionTypes = Record<
  string,
  { type: 'string' | 'boolean'; multiple?: boolean; short?: string }
>

/** @throws UsageError with the nearest option */
export function parseOptions(args: string[], options: OptionTypes) {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    return { values: values as Flags, positionals }
  } catch (error) {
    const text = error instanceof Error ? error.message.split('. ')[0] : String(error)
    const unknown = /'--([\w-]+)/.exec(text ?? '')?.[1]
    const near = unknown ? nearest(unknown, Object.keys(options)) : []
    const hint = near.length > 0 ? ` Did you mean --${near[0]}?` : ''
    throw new UsageError(`${text}.${hint}`)
  }
}
