/** Plain lines with the seconds since the program began, and one line that is redrawn while it lasts. */

const seconds = () => `${(performance.now() / 1000).toFixed(1).padStart(5)}s`

const redraws = process.stdout.isTTY

export function say(text: string): void {
  clear()
  console.log(`${seconds()}  ${text}`)
}

/** A line below another, without a time. */
export function detail(text: string): void {
  console.log(`        ${text}`)
}

/** Draws a progress bar over the last line; nothing when the output is not a terminal. */
export function progressBar(done: number, total: number | undefined, text: string): void {
  if (!redraws) return
  const width = 30
  const share = total ? Math.min(done / total, 1) : 0
  const filled = Math.round(share * width)
  const bar = '█'.repeat(filled) + '░'.repeat(width - filled)
  process.stdout.write(`\r${seconds()}  ${bar} ${text}\x1b[K`)
}

function clear(): void {
  if (redraws) process.stdout.write('\r\x1b[K')
}

/** Columns as wide as their widest cell; numbers to the right. */
export function table(rows: Record<string, unknown>[]): string[] {
  const heads = Object.keys(rows[0] ?? {})
  const cells = [heads, ...rows.map((row) => heads.map((head) => String(row[head] ?? '')))]
  const widths = heads.map((_, c) => Math.max(...cells.map((row) => row[c]?.length ?? 0)))
  return cells.map((row) =>
    row
      .map((cell, c) => {
        const number = typeof rows[0]?.[heads[c] ?? ''] === 'number'
        return number ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0)
      })
      .join('  ')
      .trimEnd(),
  )
}
