import type { Readable, Writable } from 'node:stream'
import { createNodeContext } from '../../egress/node-context.ts'
import type { JsonObject } from '../../protocol/index.ts'
import type { ConnectorContext } from '../../runtime/contract.ts'
import { fileStore } from '../../staging/file-store.ts'
import { withEnvironment } from '../config-values.ts'
import type { ConnectorArguments } from './arguments.ts'
import { type ConfigScrubber, checkedConfig } from './config.ts'
import { readObject } from './documents.ts'
import { logMessage, type Scrub } from './messages.ts'
import { type OpenConnector, openConnector } from './open.ts'
import type { LineOutput } from './output.ts'
import type { Stop } from './signals.ts'

export type Environment = Record<string, string | undefined>

/** What the commands that run a connector share. */
export interface Session {
  args: ConnectorArguments
  opened: OpenConnector
  ctx: ConnectorContext
  stdin: Readable
  /** For what is no message; messages go to `out`. */
  stdout: Writable
  out: LineOutput
  scrubber: ConfigScrubber
  stop: Stop
  /** @throws VALIDATION_FAILED when the config does not fit the connector's form */
  config(): JsonObject
}

interface Surroundings {
  stdin: Readable
  stdout: Writable
  out: LineOutput
  env: Environment
  stop: Stop
  scrubber: ConfigScrubber
}

const WAREHOUSE = '.airbyte/warehouse'

/** Opens the connector and reads its config, whose secrets are scrubbed from here on. */
export async function openSession(
  args: ConnectorArguments,
  { stdin, stdout, out, env, stop, scrubber }: Surroundings,
): Promise<Session> {
  const opened = await openConnector(args)
  const { connectionSpecification: form } = opened.connector.spec()
  const document = args.config === undefined ? {} : await readObject(args.config, stdin)
  const given = withEnvironment(document, env)
  scrubber.learn(form, given)
  return {
    ...{ args, opened, stdin, stdout, out, scrubber, stop },
    ctx: contextFor(args, out, scrubber.scrub, stop),
    config() {
      const config = checkedConfig(opened, given)
      scrubber.learn(form, config)
      return config
    },
  }
}

function contextFor(
  { verb, debug, warehouse }: ConnectorArguments,
  out: LineOutput,
  scrub: Scrub,
  { signal }: Stop,
): ConnectorContext {
  return createNodeContext({
    signal,
    warehouse: fileStore(warehouse ?? WAREHOUSE),
    log(level, message) {
      // A test prints a report.
      if (verb === 'test' ? debug : level !== 'debug' || debug) {
        out.message(logMessage(level, message, scrub))
      }
    },
  })
}
