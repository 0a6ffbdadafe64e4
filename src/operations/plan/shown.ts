import type { StreamOutlook, StreamPlanView } from './streams.ts'

/** An answer with the columns and statements of thousands of streams would be megabytes. */
const MOST_SHOWN = 500

/** What a plan shows of its streams, which are counted: of more than 500 those first that would fail. */
export function shownOf(
  streams: Pick<StreamOutlook, 'view'>[],
  most = MOST_SHOWN,
): { streams: StreamPlanView[]; streamCount: number } {
  const views = streams.map(({ view }) => view)
  const streamCount = views.length
  if (streamCount <= most) return { streams: views, streamCount }
  const failing = views.filter(({ problem }) => problem)
  const others = views.filter(({ problem }) => !problem)
  return { streams: [...failing, ...others].slice(0, most), streamCount }
}
