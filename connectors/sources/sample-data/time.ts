/** Days since the epoch as `YYYY-MM-DD`; the few thousand that occur are kept. */
export function dateText(day: number): string {
  let text = DATES.get(day)
  if (text === undefined) {
    text = new Date(day * 86_400_000).toISOString().slice(0, 10)
    DATES.set(day, text)
  }
  return text
}

/** Seconds of a day as `HH:MM:SS`. */
export function timeText(second: number): string {
  const hour = (second / 3600) | 0
  const minute = ((second / 60) | 0) % 60
  return `${TWO[hour]}:${TWO[minute]}:${TWO[second % 60]}`
}

/** Seconds since the epoch as `YYYY-MM-DDTHH:MM:SS`, without a zone. */
export function dateTimeText(seconds: number): string {
  const day = Math.floor(seconds / 86_400)
  return `${dateText(day)}T${timeText(seconds - day * 86_400)}`
}

const DATES = new Map<number, string>()
const TWO = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))
