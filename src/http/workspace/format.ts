/** Numbers and times as pages say them. */
const UNITS: [seconds: number, name: string][] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
]

const plural = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`

/** `3 hours`, of a span in milliseconds; whole units, rounded down. */
export function span(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000))
  const [size, name] = UNITS.find(([unit]) => total >= unit) ?? [1, 'second']
  return plural(Math.floor(total / size), name)
}

/** `5 minutes ago`, `in 2 hours`, `just now`. */
export function relative(iso: string, now = Date.now()): string {
  const distance = Date.parse(iso) - now
  if (Math.abs(distance) < 5000) return 'just now'
  return distance < 0 ? `${span(-distance)} ago` : `in ${span(distance)}`
}

/** `1m 12s`, of a sync. */
export function duration(from: string, to: string): string {
  const ms = Math.max(0, Date.parse(to) - Date.parse(from))
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)}s`
  const total = Math.round(ms / 1000)
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60)]
  if (hours > 0) return `${hours}h ${minutes}m`
  return minutes > 0 ? `${minutes}m ${total % 60}s` : `${total}s`
}

const counts = new Intl.NumberFormat('en-US')
export const count = (n: number) => counts.format(n)
export const rowsText = (n: number) => `${count(n)} ${n === 1 ? 'row' : 'rows'}`

const SIZES = ['bytes', 'kB', 'MB', 'GB', 'TB']
export function bytesText(n: number): string {
  const power = Math.min(n < 1000 ? 0 : Math.floor(Math.log10(n) / 3), SIZES.length - 1)
  const value = n / 1000 ** power
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${SIZES[power]}`
}

/** `2026-11-26 14:05 UTC`. */
export const moment = (iso: string) => `${iso.slice(0, 16).replace('T', ' ')} UTC`
