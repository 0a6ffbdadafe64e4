import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../support/dev-server.ts'

const configPath = join(import.meta.dirname, 'fixture/wrangler.toml')

describe('the local server', { timeout: 60_000 }, () => {
  let stateDirectory: string
  const running: RunningServer[] = []

  const start = async () => {
    const server = await startServer({ configPath, stateDirectory })
    running.push(server)
    return server
  }
  const text = async (server: RunningServer, path: string) =>
    (await fetch(server.url + path)).text()

  beforeEach(() => {
    stateDirectory = mkdtempSync(join(tmpdir(), 'airbyte-state-'))
  })
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
    rmSync(stateDirectory, { recursive: true, force: true })
  })

  it('serves at its own address, delivers queue messages, and keeps what the Worker logged', async () => {
    const server = await start()
    expect(await text(server, '/public-url')).toBe(server.url)
    await text(server, '/send')
    await expect.poll(() => text(server, '/message')).toBe('hello')
    await text(server, '/log')
    await expect.poll(() => server.logs()).toContain('a line of the Worker')
  })

  it.each([
    { when: 'while it was down', ms: 300 },
    { when: 'after it is up again', ms: 4000 },
  ])('fires an alarm that came due $when, without anyone touching the object', async ({ ms }) => {
    const first = await start()
    const due = Date.now() + ms
    await text(first, `/arm?ms=${ms}`)
    await first.kill9()
    await sleep(400)
    const restartedAt = Date.now()
    const second = await start()
    await expect.poll(() => text(second, '/alarm'), { timeout: 20_000 }).toMatch(/^\d+$/)
    const firedAt = Number(await text(second, '/alarm'))
    expect(firedAt).toBeGreaterThanOrEqual(Math.max(restartedAt, due))
  })

  it('leaves no process and no open port after kill9 or stop', async () => {
    for (const end of ['kill9', 'stop'] as const) {
      const server = await start()
      const pids = [server.pid, ...server.workerdPids()]
      expect(pids).toHaveLength(2)
      await server[end]()
      expect(pids.filter(alive)).toEqual([])
      await expect(fetch(server.url)).rejects.toThrow()
    }
  })

  it('says why it does not start when its port is taken', async () => {
    const blocker = createServer()
    const port = await new Promise<number>((resolve) => {
      blocker.listen(0, 'localhost', () => resolve((blocker.address() as { port: number }).port))
    })
    await expect(startServer({ configPath, stateDirectory, port })).rejects.toThrow(`${port}`)
    blocker.close()
  })
})

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
