/**
 * The official conformance suite, in both eras: against the server as it runs, and against the same
 * handler and session object over the tools, resources and prompts that the suite asks for by name.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve } from '../../scripts/lib/mcp-client.ts'
import { freePort } from '../../scripts/lib/ports.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'
import { REVISIONS, runSuite } from './support/conformance-suite.ts'
import { withToken } from './support/with-token.ts'

const directory = mkdtempSync(join(tmpdir(), 'airbyte-conformance-'))

const INSPECTOR = join(import.meta.dirname, '../../node_modules/.bin/mcp-inspector')

/** Starts the isolate, which on a busy machine outlasts a scenario's patience. */
const wake = (endpoint: string) => fetch(endpoint, { method: 'POST', body: '{}' })

const run = (name: string, args: string[], onPrinted?: (printed: string) => void) =>
  runSuite(join(directory, name), args, onPrinted)

/** The Inspector's command line; rejects when it ends with anything but 0. */
const inspect = (args: string[]) =>
  promisify(execFile)(process.execPath, [INSPECTOR, '--cli', ...args, '--format', 'json'], {
    maxBuffer: 16 * 1024 * 1024,
  })

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('the fixture mount', () => {
  /**
   * Scenarios of the Tasks extension, which no revision requires and this server does not declare.
   * Nothing else is excused: deprecated features (sampling, roots, logging) pass as well.
   */
  const NOT_OFFERED = /^tasks-/
  let server: RunningServer

  beforeAll(async () => {
    server = await startServer({
      stateDirectory: join(directory, 'fixtures'),
      configPath: join(import.meta.dirname, 'support/fixture-mount/wrangler.toml'),
    })
    await wake(`${server.url}/mcp`)
  }, 120_000)

  afterAll(() => server?.stop())

  it.each(REVISIONS)('passes every scenario of %s', async (revision) => {
    const args = ['server', '--url', `${server.url}/mcp`, '--requirements', revision]
    const { failed, passed, scenarios } = await run(`fixtures-${revision}`, args)
    const offered = scenarios.filter((scenario) => !NOT_OFFERED.test(scenario))
    const unexpected = Object.entries(failed).filter(([scenario]) => !NOT_OFFERED.test(scenario))
    expect(unexpected).toEqual([])
    // The suite ran whole: 37 scenarios are required of 2026-07-28 and 30 of 2025-11-25.
    expect(offered.length).toBeGreaterThanOrEqual(revision === '2026-07-28' ? 37 : 30)
    console.log(
      `conformance ${revision}, fixtures: ${offered.length} scenarios, ${passed} checks passed`,
    )
  })
})

describe('the real mount', () => {
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
    await wake(endpoint)
  }, 120_000)

  afterAll(async () => {
    proxy?.close()
    await server?.stop()
  })

  /** Scenarios that call a fixture by name; a product has none, and the fixture mount passes them. */
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

  it.each(REVISIONS)('passes every scenario of %s that needs no fixture', async (revision) => {
    const args = ['server', '--url', endpoint, '--requirements', revision]
    const { failed, passed, scenarios } = await run(revision, args)
    const required = MUST_PASS[revision]
    expect(scenarios).toEqual(expect.arrayContaining(required))
    for (const scenario of required)
      expect({ [scenario]: failed[scenario] }).toEqual({ [scenario]: undefined })
    const others = Object.keys(failed).filter((scenario) => !NEEDS_FIXTURES.test(scenario))
    // Four of its 28 checks call a fixture; the other 24 are of the protocol.
    expect(others.filter((scenario) => scenario !== 'server-stateless')).toEqual([])
    expect(failed['server-stateless']?.length ?? 0).toBeLessThanOrEqual(4)
    console.log(
      `conformance ${revision}, real: ${passed} checks passed, ${required.length} scenarios must`,
    )
  })

  /** What the Inspector asks in each era; `--strict` fails on schemas that a model provider refuses. */
  const INSPECTED: [method: string, args: string[], answer: RegExp][] = [
    ['tools/list', ['--strict'], /"name":\s*"get_workspace"/],
    [
      'tools/call',
      ['--tool-name', 'search_connectors', '--tool-arg', 'query=postgres'],
      /Postgres/,
    ],
    ['resources/read', ['--uri', 'airbyte://connectors/source/postgres/spec'], /replication/],
    ['prompts/get', ['--prompt-name', 'debug_sync', '--prompt-args', 'connection=shop'], /shop/],
  ]

  it.each(['modern', 'legacy'])('answers the Inspector, strictly, in the %s era', async (era) => {
    const target = [endpoint, '--transport', 'http', '--protocol-era', era]
    for (const [method, args, answer] of INSPECTED) {
      const { stdout, stderr } = await inspect([...target, '--method', method, ...args])
      expect({ method, stderr }).toEqual({ method, stderr: '' })
      expect(stdout).toMatch(answer)
    }
    console.log(`inspector, ${era}: ${INSPECTED.length} methods, tools strict`)
  })

  it('grants a code to a registered client, as the suite for authorization servers asks', async () => {
    const port = await freePort()
    const redirect = `http://127.0.0.1:${port}/callback`
    const response = await fetch(`${server.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'conformance',
        redirect_uris: [redirect],
        token_endpoint_auth_method: 'none',
      }),
    })
    const { client_id: id } = (await response.json()) as { client_id: string }
    const options = { url: server.url, 'client-id': id, port, resource: `${server.url}/mcp` }
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])
    let consent: Promise<unknown> | undefined
    const { failed, passed, scenarios } = await run(
      'authorization',
      ['authorization', ...args],
      (printed) => {
        // The person's part: it prints the address and waits at its callback.
        const asked = /^http:\S+\/authorize\?\S+$/m.exec(printed)
        if (asked) consent ??= approve(new URL(asked[0])).then((location) => fetch(location))
      },
    )
    await consent
    expect(scenarios).toEqual(expect.arrayContaining(['authorization-code-grant']))
    expect(failed).toEqual({})
    expect(passed).toBeGreaterThanOrEqual(3)
    console.log(`conformance authorization: ${passed} checks passed`)
  })
})
