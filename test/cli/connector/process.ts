import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { connectorCommand } from '../../../src/cli/connector/index.ts'
import type { JsonObject } from '../../../src/protocol/index.ts'
import { loads, toJson } from '../../../src/runtime/declarative/python/json.ts'

const ROOT = join(import.meta.dirname, '../../..')

export interface Message {
  type: string
  record?: { stream: string; data: JsonObject; emitted_at: number; [more: string]: unknown }
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's other envelopes, looked into by tests
  [field: string]: any
}

export interface Ended {
  code: number | null
  messages: Message[]
  stdout: string
  stderr: string
}

/** `airbyte connector …` in a process of its own, as a shell would start it. */
export function startConnector(args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(
    join(ROOT, 'node_modules/.bin/node'),
    [join(ROOT, 'src/cli/bin.mjs'), 'connector', ...args],
    { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] },
  )
}

export async function runConnector(
  args: string[],
  { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const child = startConnector(args, env)
  child.stdin?.on('error', () => {}).end(input)
  return await ended(child)
}

/** The same in the test's own process, which spares the start of one. */
export async function runHere(
  args: string[],
  { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const printed = Promise.all([text(stdout), text(stderr)])
  const code = await connectorCommand(args, {
    ...{ stdin: Readable.from([Buffer.from(input)]), stdout, stderr },
    env: { ...process.env, ...env },
  })
  stdout.end()
  stderr.end()
  return endedWith(code, ...(await printed))
}

const endedWith = (code: number | null, stdout: string, stderr: string): Ended => ({
  ...{ code, messages: messagesOf(stdout), stdout, stderr },
})

export async function ended(child: ChildProcess): Promise<Ended> {
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : '')),
  )
  return endedWith(await exit, stdout ?? '', stderr ?? '')
}

export const messagesOf = (output: string): Message[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{"'))
    .map((line) => toJson(loads(line)) as Message)

export interface TestServer {
  url: string
  stop(): void
}

export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** A folder for the documents that a command line names. */
export function workFolder() {
  const path = mkdtempSync(join(tmpdir(), 'airbyte-connector-'))
  return {
    path,
    write(name: string, content: unknown): string {
      const file = join(path, name)
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
      return file
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

export const catalogOf = (streams: Record<string, string>, mode = 'append') => ({
  streams: Object.entries(streams).map(([name, sync_mode]) => ({
    stream: {
      name,
      json_schema: { type: 'object', properties: {} },
      supported_sync_modes: ['full_refresh', 'incremental'],
    },
    sync_mode,
    destination_sync_mode: mode,
  })),
})
