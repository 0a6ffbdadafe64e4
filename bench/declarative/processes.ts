import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { cpuSeconds } from '../process-stats.ts'
import type { Run } from './run.ts'

const HERE = import.meta.dirname

/** The API, in a process of its own. */
export async function startApi(): Promise<{ url: string; stop(): void }> {
  const child = spawn(process.execPath, [join(HERE, 'server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { url: line.toString().trim(), stop: () => child.kill() }
}

/** @see run.ts */
export async function runInNode(
  road: string,
  url: string,
  records: number,
  options: { heap?: boolean } = {},
): Promise<Run> {
  const args = ['--expose-gc', join(HERE, 'run.ts'), road, url, String(records)]
  if (options.heap) args.push('heap')
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const output = await text(child.stdout)
  await ended(child, road)
  return JSON.parse(output) as Run
}

/** A command line whose output nobody keeps: seconds, and CPU seconds as last seen. */
export async function timeCommand(
  command: string,
  args: string[],
): Promise<{ seconds: number; cpuSeconds: number }> {
  const began = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  let cpu = 0
  const timer = setInterval(() => {
    cpu = tryCpu(child.pid) ?? cpu
  }, 50)
  await ended(child, command)
  clearInterval(timer)
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: cpu }
}

async function ended(child: ChildProcess, name: string): Promise<void> {
  const code = child.exitCode ?? ((await once(child, 'exit')) as [number])[0]
  if (code !== 0) throw new Error(`${name} ended with ${code}.`)
}

function tryCpu(pid: number | undefined): number | undefined {
  try {
    return pid === undefined ? undefined : cpuSeconds([pid])
  } catch {
    return undefined // It has just ended.
  }
}

export const loadAverage = () =>
  readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')
