const LONGEST = 100

/**
 * The first name that is one, fit for a page and a workspace's name: one line, of bounded length,
 * without marks that turn the direction of the text around it.
 */
export function displayName(...names: unknown[]): string {
  for (const name of names) {
    if (typeof name !== 'string') continue
    const clean = name.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()
    if (clean) return Array.from(clean).slice(0, LONGEST).join('')
  }
  return 'somebody'
}
