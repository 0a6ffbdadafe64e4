import type { Warning } from '../../durable-object/rpc.ts'
import { AirbyteError } from '../../protocol/index.ts'
import type { Loader } from '../../runtime/contract.ts'
import { faultPoint } from '../fault-points.ts'
import type { Slice } from './run-task.ts'
import type { StreamClaim } from './types.ts'

/** Makes a stream's generation visible, once every chunk of it is loaded. */
export async function runFinishSlice(slice: Slice<StreamClaim>): Promise<void> {
  const { claim } = slice
  const { loader, isPrepared } = await slice.loaders.open(slice)
  if (!isPrepared) await loader.prepare(claim.fence)
  const warnings = await holdEmptyOverwrite(claim, loader)
  await loader.finish(claim.fence)
  await faultPoint('finish.swapped')
  await slice.done(warnings)
  await faultPoint('finish.reported')
}

/** An overwrite that read nothing does not wipe a table that has rows, unless someone accepts it. */
async function holdEmptyOverwrite(claim: StreamClaim, loader: Loader): Promise<Warning[]> {
  const { plan, key } = claim.stream
  const replaces = plan.minimumGenerationId === plan.generationId
  if (!replaces || claim.rowsInGeneration > 0) return []
  const visible = (await loader.count()) ?? 0
  if (visible === 0) return []
  const message = `${key} had no rows, while its table has ${visible}.`
  if (!claim.input.acceptEmpty) {
    throw new AirbyteError('EMPTY_OVERWRITE_HELD', message, { stream: key })
  }
  return [{ code: 'EMPTY_FULL_REFRESH', stream: key, message }]
}
