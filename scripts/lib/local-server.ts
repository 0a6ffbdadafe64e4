import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundleWorker, QUIET_WRANGLER, ROOT, WRANGLER_TOML } from './bundle.ts'
import type { HostOrders, HostReport } from './host.ts'
import { freePort } from './ports.ts'

export interface ServerOptions {
  /** Durable Objects and R2 live here; starting on it again goes on where it stood. */
  stateDirectory: string
  /** Default: a free one. */
  port?: number
  /** Over the `[vars]` of wrangler.toml. Local mode and private networks are on by default. */
  vars?: Record<string, string>
  /** Opens the inspector on this port; 0 takes a free one. */
  inspectorPort?: number
  /** Default: the wrangler.toml of this repository. */
  configPath?: string
  /** Receives each line that the Worker logs. */
  onLog?: (line: string) => void
}

export interface RunningServer {
  /** `http://localhost:<port>`, also the Worker's `PUBLIC_URL`. */
  url: string
  /** Process that holds workerd; the leader of their process group. */
  pid: number
  /** WebSocket URL of the Worker's inspector, when it was asked for. */
  inspectorUrl?: string
  workerdPids(): number[]
  /** Kills workerd and its holder by SIGKILL at once, as a power cut would. */
  kill9(): Promise<void>
  /** Ends in order; also safe after `kill9`. */
  stop(): Promise<void>
  /** What was logged so far. */
  logs(): string
}

/**
 * Runs the Worker on workerd with its Durable Objects, queues and R2 on this machine.
 * Alarms that came due while it was down fire when it is up again.
 *
 * @example
 * const server = await startServer({ stateDirectory: '.airbyte/state', port: 8787 })
 * await fetch(`${server.url}/health`)
 * await server.stop()
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const configPath = options.configPath ?? WRANGLER_TOML
  const modules = await bundleWorker(configPath)
  const port = options.port ?? (await freePort())
  const url = `http://localhost:${port}`
  mkdirSync(options.stateDirectory, { recursive: true })
  rmSync(join(options.stateDirectory, 'tmp'), { recursive: true, force: true })

  const host = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'host.ts')], {
    cwd: ROOT,
    env: { ...process.env, ...QUIET_WRANGLER },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
    serialization: 'advanced',
  })
  const lines = collectLines(host, options.onLog)
  const orders: HostOrders = {
    configPath,
    modules,
    stateDirectory: options.stateDirectory,
    port,
    inspectorPort: options.inspectorPort,
    vars: { PUBLIC_URL: url, LOCAL_MODE: 'on', ALLOW_PRIVATE_NETWORKS: 'on', ...options.vars },
  }
  const report = await reportOf(host, orders)
  if (!report.ready) {
    killGroup(host)
    throw new Error(`The local server does not start: ${report.error}\n${lines.join('\n')}`)
  }
  const pid = host.pid as number
  return {
    url,
    pid,
    inspectorUrl: report.inspectorUrl,
    workerdPids: () => childrenOf(pid),
    kill9: () => killGroup(host),
    stop: () => stop(host),
    logs: () => lines.join('\n'),
  }
}

const LOG_LINES = 5000

function collectLines(host: ChildProcess, onLog?: (line: string) => void): string[] {
  const lines: string[] = []
  for (const stream of [host.stdout, host.stderr]) {
    let rest = ''
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) onLog?.(line)
      lines.push(...parts)
      if (lines.length > LOG_LINES) lines.splice(0, lines.length - LOG_LINES)
    })
  }
  return lines
}

function reportOf(host: ChildProcess, orders: HostOrders): Promise<HostReport> {
  return new Promise((resolve) => {
    host.once('message', (report) => resolve(report as HostReport))
    host.once('error', (error) => resolve({ ready: false, error: error.message }))
    host.once('exit', (code) => resolve({ ready: false, error: `its process ended with ${code}` }))
    host.send(orders)
  })
}

async function stop(host: ChildProcess): Promise<void> {
  if (!ended(host)) {
    host.kill('SIGTERM')
    await Promise.race([once(host, 'exit'), sleep(5000, undefined, { ref: false })])
  }
  await killGroup(host)
}

async function killGroup(host: ChildProcess): Promise<void> {
  const group = -(host.pid as number)
  const exited = ended(host) ? undefined : once(host, 'exit')
  signal(group, 'SIGKILL')
  await exited
  // workerd is not our child: wait until the system has taken it down too.
  for (let waited = 0; waited < 5000 && signal(group, 0); waited += 10) await sleep(10)
}

const ended = (host: ChildProcess) => host.exitCode !== null || host.signalCode !== null

/** False when there is nobody to signal. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

/** Linux only: `/proc` names the children of a process. */
function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return children === '' ? [] : children.split(' ').map(Number)
}
