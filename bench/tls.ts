/**
 * What TLS costs in workerd: plain, the platform's TLS, and ours in JavaScript (for private CAs), in MB/s
 * and CPU seconds of workerd per gigabyte.
 *
 *   node bench/tls.ts [megabytes]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { cpuSeconds, median } from './process-stats.ts'
import type { Job } from './tls/worker.ts'

const MEGABYTE = 1024 * 1024
const ROUNDS = 3
const megabytes = Number(process.argv[2] ?? 256)
const certs = join(import.meta.dirname, '../test/support/certs')
const pem = (name: string) => readFileSync(join(certs, name)).toString()

const plainPort = await listen(createTcpServer(serve))
const identity = { cert: pem('rsa.pem'), key: pem('rsa.key') }
const tlsPort = await listen(createTlsServer(identity, serve))
const worker = await startWorker()

try {
  const full = { servername: 'localhost', verify: 'full' } as const
  const kinds: [string, Pick<Job, 'port' | 'tls'>][] = [
    ['plain', { port: plainPort, tls: null }],
    ['platform TLS', { port: tlsPort, tls: full }],
    ['JavaScript TLS', { port: tlsPort, tls: { ...full, ca: pem('ca.pem') } }],
  ]
  console.log(`${megabytes} MB each, median of ${ROUNDS}\n`)
  console.log('socket           direction     MB/s   CPU s/GB   handshake ms')
  for (const [name, kind] of kinds)
    for (const direction of ['read', 'write'] as const) {
      const rounds: Round[] = []
      for (let i = 0; i < ROUNDS; i++) rounds.push(await measure({ ...kind, direction, megabytes }))
      const of = (pick: (round: Round) => number) => median(rounds.map(pick))
      console.log(
        name.padEnd(16),
        direction.padEnd(9),
        of((r) => r.rate)
          .toFixed(0)
          .padStart(8),
        of((r) => r.cpuPerGigabyte)
          .toFixed(2)
          .padStart(10),
        of((r) => r.handshakeMs)
          .toFixed(0)
          .padStart(14),
      )
    }
} finally {
  worker.process.kill('SIGTERM')
  process.exit()
}

interface Round {
  rate: number
  cpuPerGigabyte: number
  handshakeMs: number
}

async function measure(job: Job): Promise<Round> {
  const pids = findWorkerds(worker.process.pid ?? 0)
  const before = cpuSeconds(pids)
  const response = await fetch(worker.url, { method: 'POST', body: JSON.stringify(job) })
  if (!response.ok) throw new Error(await response.text())
  const { handshakeMs, moveMs } = (await response.json()) as { handshakeMs: number; moveMs: number }
  const cpu = cpuSeconds(pids) - before
  const moved = (job.megabytes * MEGABYTE) / 1e6
  return { rate: moved / (moveMs / 1000), cpuPerGigabyte: (cpu / moved) * 1000, handshakeMs }
}

/** `R<MB>` is answered by that many megabytes, `W<MB>` takes them and says when it has them. */
function serve(socket: Socket) {
  socket.on('error', () => {})
  socket.once('data', (first: Buffer) => {
    const lineEnd = first.indexOf('\n')
    const bytes = Number(first.subarray(1, lineEnd)) * MEGABYTE
    if (first[0] === 'R'.charCodeAt(0)) return send(socket, bytes)
    let left = bytes - (first.length - lineEnd - 1)
    socket.on('data', (piece: Buffer) => {
      left -= piece.length
      if (left <= 0) socket.write('done')
    })
  })
}

function send(socket: Socket, bytes: number) {
  const piece = Buffer.alloc(256 * 1024, 'abcdefghij')
  let left = bytes
  const go = () => {
    while (left > 0) {
      left -= piece.length
      if (!socket.write(piece)) return void socket.once('drain', go)
    }
  }
  go()
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function startWorker() {
  const config = join(import.meta.dirname, 'tls/wrangler.toml')
  const wrangler = spawn('wrangler', ['dev', '--config', config, '--port', '0'], {
    // The platform trusts our CA for this run, so that its own TLS can be measured too.
    env: {
      ...process.env,
      CI: '1',
      NODE_EXTRA_CA_CERTS: join(certs, 'ca.pem'),
      WRANGLER_SEND_METRICS: 'false',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    wrangler.once('exit', () => reject(new Error('wrangler ended')))
    let output = ''
    wrangler.stdout.on('data', (text) => {
      output += text
      const [found] = /http:\/\/[\w.]+:\d+/.exec(output) ?? []
      if (found) resolve(found)
    })
  })
  return { process: wrangler as ChildProcess, url }
}

/** wrangler runs more than one: its proxy and the Worker itself. */
function findWorkerds(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return children.filter(Boolean).flatMap((child) => {
    const name = readFileSync(`/proc/${child}/comm`, 'utf8').trim()
    return name === 'workerd' ? [Number(child)] : findWorkerds(Number(child))
  })
}
