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
 * a tenth of the records takes longer than it should.
 */
async function timeRead(
  command: string,
  before: string[],
  manifestOption: string,
  { url, records }: { url: string; records: number },
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
    const few = await read(records / 10)
    const many = await read(records)
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

type Job = { url: string; records: number }

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
