import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../../scripts/lib/bundle.ts'
import { freePort } from '../../scripts/lib/ports.ts'

describe('npm start', { timeout: 60_000 }, () => {
  let directory: string
  let started: ChildProcess | undefined

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'airbyte-start-'))
  })
  afterEach(async () => {
    if (started && started.exitCode === null) started.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })

  const start = (port: number, variables: Record<string, string> = {}) => {
    const script = join(ROOT, 'scripts/start.ts')
    const args = [script, '--port', `${port}`, '--directory', directory]
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...variables },
    })
    const output = { text: '' }
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output.text += data
      })
    }
    started = child
    return { child, output }
  }

  it('serves by its environment, says how to add it to a client, and ends cleanly on Ctrl-C', async () => {
    const port = await freePort()
    const mirror = 'http://127.0.0.1:9/mirror'
    const { child, output } = start(port, { CONNECTOR_REGISTRY_URL: mirror })
    const line = `claude mcp add --transport http airbyte http://localhost:${port}/mcp`
    await expect.poll(() => output.text, { timeout: 50_000 }).toContain(line)
    const health = await fetch(`http://localhost:${port}/health`)
    expect(await health.json()).toEqual({ status: 'ok' })
    expect(statSync(join(directory, 'encryption-keys')).mode & 0o777).toBe(0o600)
    const imported = await fetch(`http://localhost:${port}/api/v1/connectors`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ from: 'source-items' }),
    })
    expect(await imported.text()).toContain(`The connector registry ${mirror} cannot be reached.`)
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([0, null])
    await expect(fetch(`http://localhost:${port}/health`)).rejects.toThrow()
  })

  it('says so when its port is taken', async () => {
    const blocker = createServer()
    const port = await new Promise<number>((resolve) => {
      blocker.listen(0, 'localhost', () => resolve((blocker.address() as { port: number }).port))
    })
    const { child, output } = start(port)
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(output.text).toContain(`Port ${port} is taken.`)
    blocker.close()
  })
})
