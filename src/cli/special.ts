/** Commands that do more than call their operation once. */
import { readFileSync, writeFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import {
  type Airbyte,
  AirbyteError,
  type InputOf,
  type StartedSync,
  type Sync,
} from '../sdk/index.ts'
import { withEnvironment } from './config-values.ts'
import type { Io } from './io.ts'
import type { ExitCode } from './main.ts'
import { type Flags, UsageError } from './options.ts'
import { FILE, importCommand, upgradeCommand } from './own-connectors.ts'
import { printable } from './printable.ts'
import { progressBar } from './progress.ts'
import { render, table } from './render.ts'

export interface Command {
  airbyte: Airbyte
  input: Record<string, unknown>
  flags: Flags
  io: Io
}

interface Special {
  options: Record<string, { type: 'string' | 'boolean'; short?: string }>
  run(command: Command): Promise<ExitCode>
}

const YES = { yes: { type: 'boolean', short: 'y' } } as const
const WAIT = { wait: { type: 'boolean', short: 'w' } } as const

export const SPECIAL: Partial<Record<string, Special>> = {
  'connections.sync': { options: WAIT, run: sync },
  'connections.backfill': { options: WAIT, run: backfill },
  'syncs.replay': { options: WAIT, run: replay },
  'syncs.logs': { options: { follow: { type: 'boolean', short: 'f' } }, run: logs },
  'workspace.export': { options: { output: { type: 'string', short: 'o' } }, run: exportYaml },
  'workspace.apply': { options: { ...FILE, ...YES }, run: apply },
  'connectors.import': { options: FILE, run: importCommand },
  'connectors.upgrade': { options: { ...FILE, ...YES }, run: upgradeCommand },
}

/** `sync <connection> --wait`: a bar on a terminal, then how each stream ended. */
async function sync(command: Command): Promise<ExitCode> {
  const { connection, ...rest } = command.input as InputOf<'connections.sync'>
  return follow(command, await command.airbyte.connections.sync(connection, rest))
}

/** `connections backfill <connection> <stream> <field> --from … --to … --wait` */
async function backfill(command: Command): Promise<ExitCode> {
  const { connection, ...rest } = command.input as InputOf<'connections.backfill'>
  return follow(command, await command.airbyte.connections.backfill(connection, rest))
}

/** `syncs replay <sync> --wait` */
async function replay(command: Command): Promise<ExitCode> {
  const { sync: syncId, ...rest } = command.input as InputOf<'syncs.replay'> & { sync: number }
  return follow(command, await command.airbyte.syncs.replay(syncId, rest))
}

async function follow({ flags, io }: Command, started: StartedSync): Promise<ExitCode> {
  if (!flags.wait) {
    show(io, flags, started)
    return 0
  }
  const bar = progressBar(io)
  let last: Sync = started
  const failure = await started
    .done({
      onProgress: (now) => {
        last = now
        bar.show(now)
      },
    })
    .then(() => undefined)
    .catch((error: unknown) => error)
  bar.end()
  if (failure && !(failure instanceof AirbyteError && last.finished)) throw failure
  show(io, flags, last)
  if (!failure) return 0
  io.err(`error: ${(failure as AirbyteError).message}\n       ${(failure as AirbyteError).hint}\n`)
  return 3
}

const show = (io: Io, flags: Flags, answer: Record<string, unknown>) =>
  io.out(`${flags.json ? JSON.stringify(answer, null, 2) : render(answer)}\n`)

/** `logs <sync> --follow`: until the sync has ended and its last line is out. */
async function logs({ airbyte, input, flags, io }: Command): Promise<ExitCode> {
  const { sync: syncId, ...query } = input as InputOf<'syncs.logs'> & { sync: number }
  let after = query.after as number | undefined
  for (;;) {
    const ended = flags.follow ? (await airbyte.syncs.get(syncId)).finished : true
    let page = await airbyte.syncs.logs(syncId, { ...query, after })
    for (;;) {
      for (const line of page.lines) io.out(`${flags.json ? JSON.stringify(line) : lineOf(line)}\n`)
      after = page.lines.at(-1)?.seq ?? after
      if (!flags.follow || page.next === undefined || page.lines.length === 0) break
      page = await airbyte.syncs.logs(syncId, { ...query, after })
    }
    if (ended) return 0
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

function lineOf({ at, level, stream, message }: Record<string, unknown>): string {
  return printable(`${at} ${String(level).padEnd(5)} ${stream ? `[${stream}] ` : ''}${message}`)
}

/** `export [-o file]`: the YAML itself. */
async function exportYaml({ airbyte, flags, io }: Command): Promise<ExitCode> {
  const { yaml } = await airbyte.workspace.export()
  if (typeof flags.output === 'string') writeFileSync(flags.output, yaml)
  else io.out(flags.json ? `${JSON.stringify({ yaml })}\n` : yaml)
  return 0
}

/** `apply -f file`: shows the plan, asks, applies. */
async function apply({ airbyte, input, flags, io }: Command): Promise<ExitCode> {
  const yaml = filledIn(documentOf(flags, input), io.env)
  const { plan } = await airbyte.workspace.apply({ yaml, dryRun: true })
  const changes = plan.filter(({ action }) => action !== 'unchanged')
  if (!flags.json) io.out(`${table(plan)}\n`)
  if (changes.length === 0 || input.dryRun) {
    if (flags.json) io.out(`${JSON.stringify({ applied: false, plan }, null, 2)}\n`)
    return 0
  }
  if (!flags.yes && !(await io.confirm(`Apply ${changes.length} changes?`))) {
    io.err('Nothing was changed. Use --yes to apply without a question.\n')
    return 1
  }
  const answer = await airbyte.workspace.apply({ yaml })
  io.out(
    flags.json ? `${JSON.stringify(answer, null, 2)}\n` : `${changes.length} changes applied.\n`,
  )
  return 0
}

/** References within values only, so that a password cannot break the document. */
function filledIn(yaml: string, env: Io['env']): string {
  try {
    return stringify(withEnvironment(parse(yaml), env))
  } catch {
    return yaml // The server says where it does not parse.
  }
}

function documentOf({ file }: Flags, { yaml }: Record<string, unknown>): string {
  if (typeof yaml === 'string') return yaml
  if (typeof file !== 'string') throw new UsageError('Give the document with -f <file>.')
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new UsageError(`${file} cannot be read.`)
  }
}
