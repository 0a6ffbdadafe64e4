import { resolve } from 'node:path'
import { AirbyteError } from '../../../protocol/index.ts'
import { UsageError } from '../../options.ts'
import type { Session } from '../session.ts'
import { metadataBeside, raiseEvidence } from './evidence.ts'
import { testLive } from './live.ts'
import { replayCases } from './replay-cases.ts'
import { reportText, type TestReport } from './report.ts'

/**
 * Checks, discovers and reads a little of each stream; with `--record` what the API answered is kept,
 * scrubbed, and with `--replay` it is answered from what was kept, without network.
 */
export async function test(session: Session): Promise<number> {
  const { args, opened, stdout } = session
  if (opened.kind !== 'source') throw new AirbyteError('UNSUPPORTED', 'Only sources are tested.')
  const results = args.replay
    ? await replayCases(session, opened.connector, args.replay)
    : await testLive(session, opened.connector)
  const report: TestReport = {
    connector: opened.connector.info.name,
    ok: results.results.every(({ ok }) => ok),
    ...results,
  }
  if (args.live && report.ok) report.evidence = markLive(session)
  stdout.write(`${args.json ? JSON.stringify(report, null, 2) : reportText(report)}\n`)
  return report.ok ? 0 : 1
}

function markLive({ args, ctx }: Session): string {
  const metadata = metadataBeside(resolve(args.manifest ?? ''))
  if (!metadata) throw new UsageError('--live is for a manifest with its metadata.yaml beside it.')
  return raiseEvidence(metadata, ctx.now())
}
