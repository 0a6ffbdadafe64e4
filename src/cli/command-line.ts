import { z } from 'zod'
import { operations } from '../../tools/index.ts'
import { nearest } from '../core/nearest.ts'
import type { Operation } from '../operations/define.ts'
import { type Flags, type OptionTypes, parseOptions, UsageError } from './options.ts'

/** Flags that every command takes. */
const GLOBAL = {
  json: { type: 'boolean' },
  url: { type: 'string' },
  token: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

export interface Field {
  name: string
  /** `kebab-case` of the name. */
  flag: string
  type: string
  required: boolean
  description?: string
  choices?: string[]
  /** Fields of an object whose shape is known. */
  inner?: Field[]
}

/** The command that the first words name, and what follows them. */
export function findCommand(argv: string[]): { operation: Operation; rest: string[] } | undefined {
  const found = operations
    .map((operation) => ({ operation, words: operation.cli.command.split(' ') }))
    .filter(({ words }) => words.every((word, i) => argv[i] === word))
    .sort((a, b) => b.words.length - a.words.length)[0]
  return found && { operation: found.operation, rest: argv.slice(found.words.length) }
}

export function unknownCommand(argv: string[]): UsageError {
  const asked = argv
    .filter((word) => !word.startsWith('-'))
    .slice(0, 3)
    .join(' ')
  const commands = operations.map(({ cli }) => cli.command)
  const near = nearest(asked, commands)
  const hint = near.length > 0 ? ` Did you mean ${near.map((c) => `'${c}'`).join(' or ')}?` : ''
  return new UsageError(`There is no command '${asked}'.${hint} See airbyte help.`)
}

/** The fields of an operation's input as the command line sees them. */
export function fieldsOf({ input }: Operation): Field[] {
  return fieldsIn(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }))
}

function fieldsIn(schema: z.core.JSONSchema.JSONSchema): Field[] {
  const required = new Set(schema.required)
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const { type, description, enum: choices, properties } = property as typeof schema
    return {
      ...{ name, flag: kebab(name), required: required.has(name), description },
      type: typeof type === 'string' ? type : 'string',
      choices: choices as string[] | undefined,
      ...(properties && { inner: fieldsIn(property as typeof schema) }),
    }
  })
}

const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)

/**
 * The input of an operation and the other flags, from the words after the command.
 * `--config.host db` sets a field within an object; `extra` are flags of the command itself.
 * @throws UsageError
 */
export function parseCommand(
  operation: Operation,
  rest: string[],
  extra: OptionTypes = {},
): { input: Record<string, unknown>; flags: Flags } {
  const fields = fieldsOf(operation)
  const options: OptionTypes = { ...GLOBAL, ...extra }
  for (const { flag, type } of fields) {
    options[flag] ??= type === 'boolean' ? { type } : { type: 'string', multiple: true }
  }
  for (const path of dottedFlags(rest)) options[path] = { type: 'string', multiple: true }
  const { values, positionals } = parseOptions(rest, options)
  const input: Record<string, unknown> = {}
  for (const field of fields) {
    const given = values[field.flag]
    if (given !== undefined) input[field.name] = convert(field, [given].flat())
  }
  for (const path of dottedFlags(rest)) {
    setPath(input, path.split('.').map(camelHead), dottedValue(fields, path, values[path]))
  }
  takePositionals(operation, fields, positionals, input)
  return { input, flags: values }
}

const dottedFlags = (args: string[]) =>
  args.flatMap((arg) => /^--([\w-]+(?:\.[\w-]+)+)/.exec(arg)?.[1] ?? [])

/** A known inner field has its type; what is inside of a config stays text. */
function dottedValue(fields: Field[], path: string, values: Flags[string]): unknown {
  const [head, flag] = path.split('.')
  const text = String([values].flat().at(-1))
  const outer = fields.find((field) => field.flag === head)
  const inner = outer?.inner?.find((field) => field.name === flag || field.flag === flag)
  if (inner?.type === 'boolean') return text !== 'false'
  return inner ? convert(inner, [text]) : text
}

/** `config.host` keeps its names; only the first part is one of ours. */
const camelHead = (part: string, i: number) =>
  i === 0 ? part.replaceAll(/-(\w)/g, (_, c: string) => c.toUpperCase()) : part

function setPath(target: Record<string, unknown>, [head = '', ...tail]: string[], value: unknown) {
  if (['__proto__', 'constructor', 'prototype'].includes(head)) return
  if (tail.length === 0) {
    target[head] = value
    return
  }
  target[head] ??= {}
  setPath(target[head] as Record<string, unknown>, tail, value)
}

function takePositionals(
  { cli }: Operation,
  fields: Field[],
  positionals: string[],
  input: Record<string, unknown>,
): void {
  if (positionals.length > cli.positional.length) {
    throw new UsageError(`'${positionals[cli.positional.length]}' is one argument too many.`)
  }
  for (const [i, name] of cli.positional.entries()) {
    const field = fields.find((candidate) => candidate.name === name)
    const value = positionals[i]
    if (value !== undefined && field) input[name] = convert(field, [value])
    else if (field?.required && input[name] === undefined) {
      throw new UsageError(`<${kebab(name)}> is missing. See airbyte ${cli.command} --help.`)
    }
  }
}

function convert({ name, flag, type }: Field, values: (string | boolean)[]): unknown {
  const last = values.at(-1)
  if (typeof last === 'boolean') return last
  switch (type) {
    case 'number':
    case 'integer':
      return last !== undefined && last.trim() !== '' && !Number.isNaN(Number(last))
        ? Number(last)
        : last
    case 'object':
      return json(last ?? '', flag)
    case 'array':
      return values.flatMap((value) => listItem(String(value), name, flag))
    default:
      return last
  }
}

function listItem(value: string, name: string, flag: string): unknown[] {
  if (value.startsWith('[')) return json(value, flag) as unknown[]
  if (value.startsWith('{')) return [json(value, flag)]
  return name === 'streams' ? [streamOf(value)] : value.split(',')
}

/** `users` or `users:incremental:updated_at`. */
function streamOf(text: string): unknown {
  const [name, syncMode, cursorField] = text.split(':')
  return { name, ...(syncMode && { syncMode }), ...(cursorField && { cursorField }) }
}

function json(text: string, flag: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`--${flag} is not JSON.`)
  }
}
