import { createInterface } from 'node:readline/promises'
import type { Operation } from '../operations/define.ts'
import { Airbyte, AirbyteError } from '../sdk/index.ts'
import { findCommand, parseCommand, unknownCommand } from './command-line.ts'
import { readConfigFile, typedConfig, withEnvironment } from './config-values.ts'
import { helpOf, overview } from './help.ts'
import type { Io } from './io.ts'
import { refreshed, signIn } from './login.ts'
import { type Flags, UsageError } from './options.ts'
import { render } from './render.ts'
import { DEFAULT_URL, readSettings, removeSettings, writeSettings } from './settings.ts'
import { SPECIAL } from './special.ts'

/** 0 done · 1 the operation failed · 2 wrong use · 3 the sync did not succeed. */
export type ExitCode = 0 | 1 | 2 | 3

/** Runs one command line. Never throws; what went wrong is on standard error. */
export async function main(argv: string[], io: Io = processIo()): Promise<ExitCode> {
  try {
    return await run(argv, io)
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`${error.message}\n`)
      return 2
    }
    const { message, hint } = describe(error)
    io.err(`error: ${message}\n${hint ? `       ${hint}\n` : ''}`)
    return 1
  }
}

async function run(argv: string[], io: Io): Promise<ExitCode> {
  const [first] = argv
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    io.out(`${overview()}\n`)
    return 0
  }
  if (first === 'login') return login(argv.slice(1), io)
  if (first === 'logout') {
    removeSettings(io.env)
    return 0
  }
  if (first === 'dev') return dev(argv.slice(1))
  const found = findCommand(argv)
  if (!found) throw unknownCommand(argv)
  if (argv.includes('--help') || argv.includes('-h')) {
    io.out(`${helpOf(found.operation)}\n`)
    return 0
  }
  return runOperation(found.operation, readConfigFile(found.rest), io)
}

async function runOperation(operation: Operation, rest: string[], io: Io): Promise<ExitCode> {
  const special = SPECIAL[operation.id]
  const { input, flags } = parseCommand(operation, rest, special?.options)
  const airbyte = await connect(flags, io)
  if (special) return special.run({ airbyte, input, flags, io })
  const answer = await airbyte.call(
    operation.id as never,
    (await prepared(airbyte, operation, input, io)) as never,
  )
  io.out(`${flags.json ? JSON.stringify(answer, null, 2) : render(answer)}\n`)
  return 0
}

/** Config values with their types and the environment's secrets. */
async function prepared(
  airbyte: Airbyte,
  { id }: Operation,
  input: Record<string, unknown>,
  { env }: Io,
): Promise<Record<string, unknown>> {
  const { config } = input
  if (typeof config !== 'object' || config === null) return input
  const kind = id.startsWith('sources.') ? 'source' : 'destination'
  const type = await typeOf(airbyte, id, input)
  const filled = withEnvironment(config as Record<string, unknown>, env)
  return { ...input, config: type ? await typedConfig(airbyte, kind, type, filled) : filled }
}

async function typeOf(airbyte: Airbyte, id: string, input: Record<string, unknown>) {
  if (id.endsWith('.create')) return String(input.type)
  if (id === 'sources.update') return (await airbyte.sources.get(String(input.source))).type
  if (id !== 'destinations.update') return undefined
  return (await airbyte.destinations.get(String(input.destination))).type
}

/** Flag, then environment, then what `login` kept, then this machine. */
async function connect(flags: Flags, io: Io): Promise<Airbyte> {
  const stored = readSettings(io.env)
  const url = String(flags.url ?? io.env.AIRBYTE_URL ?? stored?.url ?? DEFAULT_URL)
  const given = flags.token ?? io.env.AIRBYTE_TOKEN
  if (given !== undefined) return new Airbyte({ url, token: String(given), client: 'cli' })
  if (!stored || stored.url !== url) return new Airbyte({ url, client: 'cli' })
  const settings = await refreshed(stored)
  if (settings !== stored) writeSettings(io.env, settings)
  return new Airbyte({ url, token: settings.token, client: 'cli' })
}

async function login(args: string[], io: Io): Promise<ExitCode> {
  const option = (name: string) => {
    const at = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`))
    return at < 0 ? undefined : (args[at]?.split('=')[1] ?? args[at + 1])
  }
  const url = (option('url') ?? io.env.AIRBYTE_URL ?? DEFAULT_URL).replace(/\/+$/, '')
  const token = option('token')
  const settings = token
    ? { url, token }
    : await signIn(url, (address) => io.err(`Open this address and sign in:\n\n  ${address}\n\n`))
  const { name } = await new Airbyte({ url, token: settings.token, client: 'cli' }).workspace.get()
  const path = writeSettings(io.env, settings)
  io.out(`Signed in to ${name} at ${url}; kept in ${path}.\n`)
  return 0
}

/** The server in this process: what `npm start` runs. */
async function dev(args: string[]): Promise<ExitCode> {
  process.argv = [...process.argv.slice(0, 2), ...args]
  await import('../../scripts/start.ts')
  return 0
}

function describe(error: unknown): { message: string; hint?: string } {
  if (!(error instanceof AirbyteError)) {
    return { message: error instanceof Error ? error.message : String(error) }
  }
  const near = error.didYouMean?.length ? `Did you mean ${error.didYouMean.join(' or ')}? ` : ''
  return { message: `${error.message} (${error.code})`, hint: `${near}${error.hint}` }
}

function processIo(): Io {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
    terminal: process.stderr.isTTY === true,
    async confirm(question) {
      if (!process.stdin.isTTY) return false
      const lines = createInterface({ input: process.stdin, output: process.stderr })
      const answer = await lines.question(`${question} [y/N] `)
      lines.close()
      return /^y(es)?$/i.test(answer.trim())
    },
  }
}
