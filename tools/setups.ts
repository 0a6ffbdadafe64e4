import { z } from 'zod'
import { defineOperation, READ } from '../src/operations/define.ts'
import { time, waitSeconds } from '../src/operations/fields.ts'
import { waitForSetup } from '../src/operations/setups.ts'

export const getSetup = defineOperation({
  id: 'setups.get',
  tool: {
    name: 'get_setup',
    title: 'Get setup',
    description:
      'Whether the person has entered the credentials behind a setupUrl. waitSeconds (up to 40) answers as soon as they have.',
    toolset: 'setup',
  },
  title: 'Get a setup',
  description: 'Whether the credentials behind a setup link have been entered.',
  input: z.strictObject({ setupId: z.string().min(1).max(200), waitSeconds }),
  output: z.looseObject({
    setupId: z.string(),
    status: z.enum(['waiting', 'completed', 'expired']),
    entity: z.enum(['source', 'destination']),
    entityId: z.string(),
    setupUrl: z.string(),
    expiresAt: time,
  }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/setups/:setupId' },
  cli: { command: 'setups get', positional: ['setupId'] },
  handler: (ctx, { setupId, waitSeconds: wait = 0 }) => waitForSetup(ctx, setupId, wait),
})
