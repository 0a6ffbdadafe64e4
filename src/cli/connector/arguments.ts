import { type OptionTypes, parseOptions, UsageError } from '../options.ts'

export type Verb = 'spec' | 'check' | 'discover' | 'read' | 'write' | 'test'

/** What the command line says, with the options that the command needs present. */
export interface ConnectorArguments {
  verb: Verb
  /** A connector of the catalog: `postgres`, `source-postgres`, `destination-postgres`. */
  name?: string
  manifest?: string
  config?: string
  catalog?: string
  state?: string
  /** Directory that plays the warehouse bucket. */
  warehouse?: string
  /** TypeScript classes in place of the manifest's custom components. */
  components?: string
  /** Of a test: the streams to read, and how many records of each. */
  streams?: string[]
  records?: number
  /** Of a test: the directory of the cases. */
  record?: string
  replay?: string
  live: boolean
  json: boolean
  debug: boolean
  help: boolean
}

interface Option {
  about: string
  type?: 'boolean' | 'string'
  /** Other names, those of Airbyte's own command line. */
  aliases?: string[]
}

const OPTIONS: Record<string, Option> = {
  manifest: { about: 'a declarative manifest, YAML or JSON', aliases: ['manifest-path'] },
  config: { about: 'the config; JSON or YAML, - for standard input' },
  catalog: { about: 'a ConfiguredAirbyteCatalog' },
  state: { about: 'STATE messages to go on from: a list, or the output of a read' },
  warehouse: { about: 'directory of the warehouse bucket (r2); default .airbyte/warehouse' },
  components: {
    about: 'TypeScript classes for the custom components of a manifest',
    aliases: ['components-path'],
  },
  streams: { about: 'names of the streams to read, with commas; default all' },
  records: { about: 'records to read of each stream; default 5' },
  record: { about: 'directory to write what the API answered to, without secrets' },
  replay: { about: 'directory to answer from instead of the API' },
  live: { about: 'record, and mark the connector as tested live today', type: 'boolean' },
  json: { about: 'print the report as JSON', type: 'boolean' },
  debug: { about: 'log more', type: 'boolean' },
  help: { about: 'show this', type: 'boolean' },
}

interface Command {
  about: string
  options: string[]
  required: string[]
}

export const COMMANDS: Record<Verb, Command> = {
  spec: { about: 'Print the config form of a connector', options: [], required: [] },
  check: {
    about: 'Try the config of a connector',
    options: ['config', 'warehouse'],
    required: ['config'],
  },
  discover: {
    about: 'Print the streams of a source',
    options: ['config'],
    required: ['config'],
  },
  read: {
    about: 'Read a source as Airbyte messages',
    options: ['config', 'catalog', 'state'],
    required: ['config', 'catalog'],
  },
  write: {
    about: 'Write Airbyte messages from standard input to a destination',
    options: ['config', 'catalog', 'warehouse'],
    required: ['config', 'catalog'],
  },
  test: {
    about: 'Check, discover and read a little of each stream of a source',
    options: ['config', 'streams', 'records', 'record', 'replay', 'live', 'json'],
    required: [],
  },
}

const isVerb = (word: string | undefined): word is Verb =>
  word !== undefined && Object.hasOwn(COMMANDS, word)

/**
 * The words after `airbyte connector`.
 *
 * @throws UsageError
 */
export function parseArguments(argv: string[]): ConnectorArguments {
  const [verb, ...rest] = argv
  if (!isVerb(verb)) {
    const what = verb ? `There is no command 'connector ${verb}'.` : 'Which command?'
    throw new UsageError(`${what} One of ${Object.keys(COMMANDS).join(', ')}.`)
  }
  const { values, positionals } = parseOptions(rest, optionTypes())
  const given = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, { aliases = [] }]) => [
      name,
      [name, ...aliases].map((alias) => values[alias]).find((value) => value !== undefined),
    ]),
  )
  const [name, extra] = positionals
  if (extra !== undefined) throw new UsageError(`'${extra}' is one argument too many.`)
  const { streams, records, ...plain } = given
  const parsed: ConnectorArguments = {
    ...{ verb, name, debug: false, help: false, live: false, json: false },
    ...withoutUndefined(plain),
    ...(streams !== undefined && { streams: String(streams).split(',') }),
    ...(records !== undefined && { records: countOf(String(records)) }),
  }
  if (!given.help) requireOptions(parsed, given)
  return parsed
}

function countOf(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new UsageError(`--records is '${text}'; a number from 1 on is expected.`)
}

function requireOptions({ verb, name }: ConnectorArguments, given: Record<string, unknown>) {
  const see = `See airbyte connector ${verb} --help.`
  if (name === undefined && given.manifest === undefined) {
    throw new UsageError(`Which connector? A name or --manifest is missing. ${see}`)
  }
  if (name !== undefined && given.manifest !== undefined) {
    throw new UsageError(`Either '${name}' or --manifest, not both. ${see}`)
  }
  const { required, options } = COMMANDS[verb]
  for (const option of required) {
    if (given[option] === undefined) throw new UsageError(`--${option} is missing. ${see}`)
  }
  const allowed = new Set([...options, 'manifest', 'components', 'debug', 'help'])
  for (const option of Object.keys(OPTIONS)) {
    if (given[option] === undefined || allowed.has(option)) continue
    throw new UsageError(`'connector ${verb}' takes no --${option}. ${see}`)
  }
  if (verb === 'test') requireOneWayToTest(given)
  if (given.components !== undefined && given.manifest === undefined) {
    throw new UsageError(`--components goes with --manifest. ${see}`)
  }
  const fromInput = [...options.filter((option) => given[option] === '-'), ...stdinOf(verb)]
  if (fromInput.length > 1) {
    throw new UsageError(`Only one of ${fromInput.join(' and ')} can come from standard input.`)
  }
}

function requireOneWayToTest({ config, replay, record, live, manifest }: Record<string, unknown>) {
  if (replay === undefined && config === undefined) {
    throw new UsageError('--config is missing, or --replay with what was recorded.')
  }
  if (replay !== undefined && (record !== undefined || live !== undefined)) {
    throw new UsageError('--replay goes without --record and --live.')
  }
  if (live !== undefined && manifest === undefined) {
    throw new UsageError('--live goes with the --manifest of the connector.')
  }
}

const stdinOf = (verb: Verb) => (verb === 'write' ? ['messages'] : [])

function optionTypes(): OptionTypes {
  const entries = Object.entries(OPTIONS).flatMap(([name, { type = 'string', aliases = [] }]) =>
    [name, ...aliases].map((alias) => [alias, { type }] as const),
  )
  return Object.fromEntries(entries)
}

const withoutUndefined = (given: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))

/** The help of one command, or of all of them. */
export function connectorHelp(verb: string | undefined): string {
  if (!isVerb(verb)) {
    const lines = Object.entries(COMMANDS).map(
      ([name, { about }]) => `  ${name.padEnd(10)}  ${about}`,
    )
    return [
      'usage: airbyte connector <command> (<name> | --manifest <file>) [options]',
      '',
      'Runs a connector in this process and speaks the Airbyte protocol in JSON lines on standard output.',
      ...['', ...lines],
    ].join('\n')
  }
  const { about, options } = COMMANDS[verb]
  const shown = [...(verb === 'write' ? [] : ['manifest', 'components']), ...options, 'debug']
  const what = verb === 'write' ? '<name>' : '(<name> | --manifest <file>)'
  return [
    `usage: airbyte connector ${verb} ${what} [options]`,
    ...['', `${about}.`, ''],
    ...shown.map((name) => `  --${name.padEnd(12)}  ${OPTIONS[name]?.about}`),
  ].join('\n')
}
