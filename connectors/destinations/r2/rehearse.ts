import type { ObjectStore, Rehearsal, StreamPlan } from '../../../src/runtime/contract.ts'
import { readCurrent } from './document.ts'
import { layoutOf } from './layout.ts'
import type { Config } from './spec.ts'
import { childTablesOf, tableOf } from './table.ts'

/** Files need no statements beforehand: what there is to see is what readers have now. */
export async function rehearse(
  store: ObjectStore,
  { pathPrefix }: Config,
  plan: StreamPlan,
): Promise<Rehearsal> {
  const { root, current } = layoutOf(pathPrefix, plan.target)
  const found = await readCurrent(store, current)
  const visible = found?.document.visible ?? []
  const shown = ({ name, type }: { name: string; type: string }) => ({ name, type })
  return {
    target: root.replace(/\/$/, ''),
    targetRows: visible.length > 0 ? visible.reduce((sum, { rows }) => sum + rows, 0) : null,
    existing: visible.length > 0 ? (found?.document.columns ?? []).map(shown) : [],
    columns: tableOf(plan).columns.map(shown),
    ...(plan.children && {
      children: childTablesOf(plan).map(({ plan: { target }, columns }) => ({
        target: layoutOf(pathPrefix, target).root.replace(/\/$/, ''),
        existing: [],
        columns: columns.map(shown),
      })),
    }),
    statements: [],
  }
}
