import { connectorOf } from './actors.ts'
import type { OperationContext } from './define.ts'

/** How far a connection is behind the log of its source; it was asked to follow one or not. */
export async function logLagOf(ctx: OperationContext, connectionId: string) {
  const { sourceId, freshAsOf } = await ctx.objects.connection(connectionId).get()
  const source = await ctx.objects.source(sourceId).get()
  const { log } = await connectorOf(ctx, 'source', source)
  // A reader that nobody began would come to be by asking it.
  const report = log?.isUsed(source.config) ? await ctx.objects.log(sourceId).report() : null
  if (!report) return { followed: false }
  const behindSeconds = freshAsOf && Math.max(0, Math.round((Date.now() - freshAsOf) / 1000))
  return { followed: true, ...report, behindSeconds }
}
