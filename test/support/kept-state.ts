import {
  applyDeltas,
  diffLists,
  joinState,
  type StreamState,
  splitState,
} from '../../src/protocol/index.ts'

/** As it comes back from where it was kept: the lists of partitions in rows of their own. */
export function kept(state: StreamState): StreamState {
  const { header, lists } = splitState(state)
  const delta = diffLists(new Map(), lists)
  const stored = JSON.parse(JSON.stringify({ header, deltas: delta ? [delta] : [] }))
  return joinState({ header: stored.header, lists: applyDeltas(new Map(), stored.deltas) })
}
