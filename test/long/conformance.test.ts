/**
 * The official conformance suite against the server as it runs, in both eras. Its scenarios are of
 * two kinds: those of the transport and the protocol, which any server must pass, and those that
 * call tools, resources and prompts of fixed names, which a product does not have.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../support/dev-server.ts'

const directory = mkdtempSync(join(tmpdir(), 'airbyte-conformance-'))
const suite = join(
  ...[import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance/dist/index.js'],
)
let server: RunningServer
let proxy: Server
let endpoint: string

beforeAll(async () => {
  server = await startServer({ stateDirectory: join(directory, 'state') })
  const response = await fetch(`${server.url}/api/v1/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'test' },
    body: JSON.stringify({ name: 'conformance', scopes: ['workspace:read'] }),
  })
  const { token } = (await response.json()) as { token: string }
  proxy = withToken(server.url, token)
  await new Promise<void>((resolve) => proxy.listen(0, resolve))
  endpoint = `http://localhost:${(proxy.address() as AddressInfo).port}/mcp`
  // The first request starts the isolate, which on a busy machine outlasts a scenario's patience.
  await fetch(endpoint, { method: 'POST', body: '{}' })
}, 120_000)

afterAll(async () => {
  proxy?.close()
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** The suite cannot send a header: this adds the token and changes nothing else. */
function withToken(target: string, token: string): Server {
  return createServer((incoming, outgoing) => {
    const { method, url = '/', headers } = incoming
    const onward = request(
      new URL(url, target).href,
      { method, headers: { ...headers, authorization: `Bearer ${token}` } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  })
}

interface Check {
  id: string
  status: string
  errorMessage?: string
}

/** Runs the suite; the checks of each scenario that did not pass. */
async function run(name: string, args: string[]) {
  const output = join(directory, name)
  const child = spawn(process.execPath, [suite, ...args, '--output-dir', output], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  child.stdout.on('data', (data) => {
    printed += data
  })
  child.stderr.on('data', (data) => {
    printed += data
  })
  await new Promise((resolve) => child.on('close', resolve))
  const total = /Total: (\d+) passed, (\d+) failed/.exec(printed)
  if (!total) throw new Error(`The suite did not come to its end:\n${printed.slice(-2000)}`)
  return { failed: failuresIn(output), passed: Number(total[1]), printed }
}

/** By scenario; a folder bears its name and the time of the run. */
function failuresIn(output: string): Record<string, string[]> {
  const entries = readdirSync(output, { recursive: true, encoding: 'utf8' })
  const files = entries.filter((entry) => entry.endsWith('checks.json'))
  return Object.fromEntries(
    files.flatMap((file) => {
      const checks = JSON.parse(readFileSync(join(output, file), 'utf8')) as Check[]
      const failed = checks.filter(({ status }) => status === 'FAILURE').map(({ id }) => id)
      const scenario = file.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '')
      return failed.length > 0 ? [[scenario, failed]] : []
    }),
  )
}

/**
 * Scenarios that ask for fixtures by name (`test_simple_text`, `test://static-text` …), for
 * deprecated features (sampling, roots, logging, subscriptions of the 2025 era), or for extensions
 * that this server does not declare (tasks).
 */
const NEEDS_FIXTURES =
  /^(tools-call-|resources-(read|templates|subscribe|unsubscribe)|prompts-get-|completion-complete|elicitation-sep|input-required-result-|json-schema-2020-12|http-custom-header|logging-set-level|tasks-)/

/** What a server without those fixtures passes all the same, and has to. */
const MUST_PASS = {
  '2026-07-28': [
    ...['tools-list', 'resources-list', 'prompts-list', 'sep-2164-resource-not-found', 'caching'],
    ...['dns-rebinding-protection', 'http-header-validation', 'server-sse-multiple-streams'],
    'input-required-result-missing-input-response',
    'input-required-result-unsupported-methods',
    'input-required-result-ignore-extra-params',
    'input-required-result-validate-input',
  ],
  '2025-11-25': [
    ...['server-initialize', 'server-session-lifecycle', 'ping', 'tools-list', 'resources-list'],
    ...['prompts-list', 'dns-rebinding-protection', 'server-sse-multiple-streams'],
    'server-sse-polling',
  ],
}

describe.each(Object.entries(MUST_PASS))('the official suite for %s', (revision, scenarios) => {
  it('passes every scenario that needs no fixture of its own', async () => {
    const args = ['server', '--url', endpoint, '--requirements', revision]
    const { failed, passed, printed } = await run(revision, args)
    const ran = [...printed.matchAll(/=== Running scenario: (\S+) ===/g)].map(([, name]) => name)
    expect(ran).toEqual(expect.arrayContaining(scenarios))
    for (const scenario of scenarios)
      expect({ [scenario]: failed[scenario] }).toEqual({ [scenario]: undefined })
    const others = Object.keys(failed).filter((scenario) => !NEEDS_FIXTURES.test(scenario))
    // Four of its 28 checks call a fixture; the other 24 are of the protocol.
    expect(others.filter((scenario) => scenario !== 'server-stateless')).toEqual([])
    expect(failed['server-stateless']?.length ?? 0).toBeLessThanOrEqual(4)
    console.log(
      `conformance ${revision}: ${passed} checks passed, ${scenarios.length} scenarios must`,
    )
  })
})

it('passes the official suite for authorization servers', async () => {
  const { failed, passed } = await run('authorization', ['authorization', '--url', server.url])
  expect(failed).toEqual({})
  expect(passed).toBeGreaterThanOrEqual(2)
  console.log(`conformance authorization: ${passed} checks passed`)
})
