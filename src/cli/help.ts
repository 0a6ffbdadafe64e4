import { operations } from '../../tools/index.ts'
import type { Operation } from '../operations/define.ts'
import { type Field, fieldsOf } from './command-line.ts'
import { COMMANDS } from './connector/arguments.ts'

const OWN: [string, string][] = [
  ['dev', 'Run the server on this machine'],
  ['login', 'Sign in, or keep an API key with --token'],
  ['logout', 'Forget the token'],
  ...Object.entries(COMMANDS).map(([verb, { about }]): [string, string] => [
    `connector ${verb}`,
    about,
  ]),
]

export function overview(): string {
  const commands = operations.map(({ cli, title }) => [cli.command, title] as const)
  const lines = [...OWN, ...commands].sort(([a], [b]) => a.localeCompare(b))
  const width = Math.max(...lines.map(([command]) => command.length))
  return [
    'usage: airbyte <command> [arguments] [--json] [--url URL] [--token TOKEN]',
    '',
    ...lines.map(([command, title]) => `  ${command.padEnd(width)}  ${title}`),
    '',
    'airbyte <command> --help shows its arguments. AIRBYTE_URL and AIRBYTE_TOKEN are read too.',
  ].join('\n')
}

export function helpOf(operation: Operation): string {
  const { cli, title, description } = operation
  const fields = fieldsOf(operation)
  const positional = cli.positional.map((name) => {
    const field = fields.find((candidate) => candidate.name === name)
    return field?.required ? `<${field.flag}>` : `[${field?.flag ?? name}]`
  })
  const flags = fields
    .filter(({ name }) => !cli.positional.includes(name))
    .flatMap((field) => [line(field), ...(field.inner ?? []).map((i) => line(i, `${field.flag}.`))])
  return [
    `usage: airbyte ${[cli.command, ...positional].join(' ')}${flags.length > 0 ? ' [flags]' : ''}`,
    ...['', `${title}. ${description}`],
    ...(flags.length > 0 ? ['', ...flags] : []),
  ].join('\n')
}

function line({ name, flag, type, required, description, choices }: Field, prefix = ''): string {
  const about = [
    choices?.join(' | '),
    description,
    name === 'streams' ? 'name[:mode[:cursor]], name or JSON; may be repeated' : '',
    name === 'config' ? 'JSON, @file, or --config.<field> value' : '',
    required ? 'required' : '',
  ].filter(Boolean)
  return `  --${`${prefix}${prefix ? name : flag}`.padEnd(24)}  ${about.join('; ') || type}`
}
