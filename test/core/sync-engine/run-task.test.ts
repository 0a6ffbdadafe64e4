import { expect, it } from 'vitest'
import type { TaskHost } from '../../../src/core/sync-engine/host.ts'
import { runTask } from '../../../src/core/sync-engine/run-task.ts'
import type { NewLogLine } from '../../../src/durable-object/rpc.ts'
import { AirbyteError } from '../../../src/protocol/index.ts'

/** Plans by a source that does this when it is asked for its streams. */
async function plan(discover: (log: (message: string) => void) => void): Promise<NewLogLine[]> {
  const lines: NewLogLine[] = []
  const claim = {
    ...{ v: 1, kind: 'plan', taskId: 'plan', fence: 1, leaseMs: 60_000, attempts: 0 },
    input: { limits: { sliceMs: 60_000 } },
  }
  const sync = {
    claim: async () => claim,
    toPlan: async () => ({ streams: [] }),
    log: async (some: NewLogLine[]) => void lines.push(...some),
    fail: async () => {},
  }
  type Context = { log(level: string, message: string): void }
  const host = {
    ...{ sync, now: Date.now, scrub: (text: string) => text },
    context: (context: Context) => context,
    openSource: async () => ({
      connector: {
        discover: async ({ log }: Context) => discover((message) => log('info', message)),
      },
    }),
    openDestination: async () => ({}),
  }
  await runTask(host as unknown as TaskHost, 'plan')
  return lines
}

it('logs why a task failed behind more lines than are kept, and how many those were', async () => {
  const lines = await plan((log) => {
    for (let n = 0; n < 700; n++) log(`line ${n}`)
    throw new AirbyteError('UPSTREAM_ERROR', 'the source is away')
  })
  expect(lines.slice(-2)).toMatchObject([
    { level: 'error', message: 'UPSTREAM_ERROR: the source is away' },
    { level: 'warn', message: expect.stringContaining('200 more lines') },
  ])
})
