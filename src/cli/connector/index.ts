/**
 * `airbyte connector …`: a connector in this process, behind this process's own network, that speaks
 * the Airbyte protocol in JSON lines as Airbyte's connectors do.
 */
import type { Readable, Writable } from 'node:stream'
import { toAirbyteError } from '../../protocol/index.ts'
import { UsageError } from '../options.ts'
import { type ConnectorArguments, connectorHelp, parseArguments, type Verb } from './arguments.ts'
import { ConfigScrubber } from './config.ts'
import { errorMessage, logMessage, specMessage } from './messages.ts'
import { openConnector } from './open.ts'
import { LineOutput } from './output.ts'
import { type Environment, openSession, type Session } from './session.ts'
import { listenToSignals } from './signals.ts'
import { check, discover, read } from './source.ts'
import { test } from './test/index.ts'
import { write } from './write.ts'

export interface ConnectorIo {
  stdin: Readable
  stdout: Writable
  stderr: Writable
  env: Environment
}

const COMMANDS: Record<Exclude<Verb, 'spec'>, (session: Session) => Promise<number>> = {
  ...{ check, discover, read, write, test },
}

/**
 * Runs one command line. 0 done, also for a check that found the config wrong · 1 failed, with a
 * TRACE that says why · 2 wrong use, told on standard error · 128 + n ended by signal n.
 */
export async function connectorCommand(argv: string[], io: ConnectorIo): Promise<number> {
  const [first] = argv
  if (first === '--help' || first === '-h' || first === 'help') {
    io.stdout.write(`${connectorHelp(argv[1])}\n`)
    return 0
  }
  try {
    const args = parseArguments(argv)
    if (!args.help) return await run(args, io)
    io.stdout.write(`${connectorHelp(args.verb)}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    io.stderr.write(`${error.message}\n`)
    return 2
  }
}

async function run(args: ConnectorArguments, { stdin, stdout, env }: ConnectorIo): Promise<number> {
  const out = new LineOutput(stdout)
  const scrubber = new ConfigScrubber()
  const stop = listenToSignals((name) =>
    out.message(logMessage('info', `${name}: ending after the next state`, scrubber.scrub)),
  )
  try {
    let code: number
    try {
      if (args.verb === 'spec') {
        out.message(specMessage((await openConnector(args)).connector.spec()))
        code = 0
      } else {
        const session = await openSession(args, { stdin, stdout, out, env, stop, scrubber })
        code = await COMMANDS[args.verb](session)
      }
    } catch (error) {
      if (error instanceof UsageError) throw error
      code = stop.exitCode ?? 1
      out.message(errorMessage(toAirbyteError(error), scrubber.scrub))
    }
    await out.end()
    return code
  } catch (error) {
    if (error instanceof UsageError) throw error
    return 1 // Nobody reads the lines any more.
  } finally {
    stop.dispose()
  }
}
