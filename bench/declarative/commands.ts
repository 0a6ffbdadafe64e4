import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MANIFEST } from './manifest.ts'
import { timeCommand } from './processes.ts'

const BIN = join(import.meta.dirname, '../../src/cli/bin.mjs')

export interface CommandRun {
  records: number
  seconds: number
  cpuMicros: number
}

/**
 * `read` of a command line with its output thrown away. Starting is not counted: it is what a read of
 * a tenth of the records takes longer than it should. The least of several rounds counts of each: the
 * least difference would be that of a round in which the short read was disturbed.
 */
async function timeRead(
  command: string,
  before: string[],
  manifestOption: string,
  { url, records, rounds }: Job,
): Promise<CommandRun> {
  const folder = mkdtempSync(join(tmpdir(), 'airbyte-bench-'))
  const write = (name: string, content: unknown) => {
    const path = join(folder, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const read = (total: number) =>
    timeCommand(command, [
      ...before,
      ...['read', manifestOption, write('manifest.yaml', MANIFEST)],
      ...['--config', write('config.json', { url, token: 'bench', total })],
      ...['--catalog', write('catalog.json', CATALOG)],
    ])
  try {
    const few = await leastOf(rounds, () => read(records / 10))
    const many = await leastOf(rounds, () => read(records))
    const counted = records - records / 10
    return {
      records: counted,
      seconds: many.seconds - few.seconds,
      cpuMicros: ((many.cpuSeconds - few.cpuSeconds) * 1e6) / counted,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const CATALOG = {
  streams: [
    {
      stream: { name: 'people', json_schema: {}, supported_sync_modes: ['full_refresh'] },
      ...{ sync_mode: 'full_refresh', destination_sync_mode: 'append' },
    },
  ],
}

interface Job {
  url: string
  records: number
  rounds: number
}

interface Spent {
  seconds: number
  cpuSeconds: number
}

async function leastOf(rounds: number, run: () => Promise<Spent>): Promise<Spent> {
  const least = { seconds: Number.POSITIVE_INFINITY, cpuSeconds: Number.POSITIVE_INFINITY }
  for (let round = 0; round < rounds; round++) {
    const { seconds, cpuSeconds } = await run()
    least.seconds = Math.min(least.seconds, seconds)
    least.cpuSeconds = Math.min(least.cpuSeconds, cpuSeconds)
  }
  return least
}

export const timeOurs = (job: Job) =>
  timeRead(process.execPath, [BIN, 'connector'], '--manifest', job)

/** Undefined where there is no airbyte-cdk: in `CDK_PYTHON`, or else in `python3`. */
export async function timeCdk(job: Job): Promise<CommandRun | undefined> {
  const python = process.env.CDK_PYTHON ?? 'python3'
  try {
    execFileSync(python, ['-c', 'import airbyte_cdk'], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  const program = 'from airbyte_cdk.cli.source_declarative_manifest import run; run()'
  return timeRead(python, ['-c', program], '--manifest-path', job)
}
