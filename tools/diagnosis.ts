import { z } from 'zod'
import { defineOperation, outward, READ } from '../src/operations/define.ts'
import { diagnoseSync, requireSubject } from '../src/operations/diagnosis/index.ts'
import { nameOrId, syncNumber } from '../src/operations/fields.ts'

export const diagnose = defineOperation({
  id: 'syncs.diagnose',
  tool: {
    name: 'diagnose_sync',
    title: 'Diagnose sync',
    description:
      'Why the latest sync of a connection, or one sync by number, failed, waits or brought nothing: cause, evidence, what to do, and the call that does it. Asks both ends where that tells more. Ask the person before calls that change something.',
    toolset: 'pipelines',
  },
  title: 'Diagnose a sync',
  description:
    'The cause of a failed, waiting or empty sync, with evidence from its log and from both ends, what to do, and the call that does it.',
  input: z.strictObject({ connection: nameOrId.optional(), sync: syncNumber.optional() }),
  output: z.looseObject({
    status: z.string(),
    healthy: z.boolean(),
    summary: z.string(),
    findings: z.array(
      z.looseObject({
        cause: z.string(),
        streams: z.array(z.string()),
        what: z.string(),
        next: z.string(),
        evidence: z.array(z.looseObject({ from: z.string(), untrusted_text: z.string() })),
      }),
    ),
  }),
  scopes: ['sync:run'],
  effect: outward(READ),
  http: { method: 'POST', path: '/diagnosis' },
  cli: { command: 'diagnose', positional: ['connection'] },
  refs: { connection: 'connection', sync: 'sync' },
  handler: (ctx, { connection, sync }) =>
    diagnoseSync(ctx, requireSubject(ctx.refs.sync?.connectionId ?? connection), sync),
})
