/**
 * The candidates that somebody who wrote `name` may have meant, best first: those that contain it
 * or are contained in it, then those a few edits away. Case does not matter.
 *
 * @example
 * nearest('postgress', ['mysql', 'postgres']) // ['postgres']
 */
export function nearest(name: string, candidates: Iterable<string>, limit = 3): string[] {
  const wanted = normalize(name)
  return [...new Set(candidates)]
    .map((candidate) => ({ candidate, distance: distanceOf(wanted, normalize(candidate)) }))
    .filter(({ distance }) => distance < FAR)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, limit)
    .map(({ candidate }) => candidate)
}

const FAR = Number.POSITIVE_INFINITY

const normalize = (name: string) => name.toLowerCase().replaceAll(/[\s_.-]+/g, '')

function distanceOf(wanted: string, candidate: string): number {
  const edits = editDistance(wanted, candidate)
  const shorter = Math.min(wanted.length, candidate.length)
  if (edits <= Math.max(1, Math.floor(shorter / 3))) return edits
  const contained = candidate.includes(wanted) || wanted.includes(candidate)
  return contained && shorter >= 3 ? edits + 1 : FAR
}

/** Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  if (a.length > MAX_COMPARED || b.length > MAX_COMPARED) return a === b ? 0 : FAR
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(replace, at(last, j) + 1, at(row, j - 1) + 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) row[j] = Math.min(at(row, j), at(beforeLast, j - 2) + 1)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

/** Names come from outside; the comparison is quadratic. */
const MAX_COMPARED = 100

const at = (row: number[], index: number) => row[index] ?? 0
