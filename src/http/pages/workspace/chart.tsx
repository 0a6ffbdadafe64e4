import { moment, rowsText } from '../../workspace/format.ts'
import { syncTone } from '../../workspace/health.ts'

export interface Bar {
  syncId: number
  startedAt: string
  status: string
  rows: number
}

const HEIGHT = 120
const SLOT = 20
const GAP = 4

/** Rows of each sync, oldest first. The table of syncs says the same to those who do not see it. */
export function RowsChart({ bars }: { bars: Bar[] }) {
  const most = Math.max(1, ...bars.map(({ rows }) => rows))
  const slots = Math.max(bars.length, 30)
  const label = `Rows of the latest ${bars.length} syncs, at most ${rowsText(most)}`
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${slots * SLOT} ${HEIGHT}`} role="img" aria-label={label}>
        <line class="axis" x1="0" x2={slots * SLOT} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {bars.map(({ syncId, startedAt, status, rows }, i) => {
          const height = Math.max(2, Math.round((rows / most) * (HEIGHT - 10)))
          return (
            <rect
              class={`bar ${syncTone(status)}`}
              x={(slots - bars.length + i) * SLOT + GAP / 2}
              y={HEIGHT - height}
              width={SLOT - GAP}
              height={height}
              rx="2"
            >
              <title>{`Sync ${syncId}, ${moment(startedAt)}: ${rowsText(rows)}, ${status}`}</title>
            </rect>
          )
        })}
      </svg>
      <figcaption>
        Rows per sync, the latest on the right; the highest bar is {rowsText(most)}.
      </figcaption>
    </figure>
  )
}
