import { MASK } from './secrets.ts'

/** Below this a value is masked only as a word of its own: as a part of words it would shred the text. */
const SHORT = 4
/** Encoded pieces and lines of a longer secret are masked from this length on. */
const PIECE = 8

/**
 * A function that replaces every given secret in a text by the mask: as it is, in base64 and base64url
 * (also within something longer, such as a Basic header), URL-encoded, JSON-escaped, and line by line.
 * One pass over the text, whatever the number of secrets.
 *
 * @example
 * const scrub = createScrubber(['hunter2'])
 * scrub('postgres://me:hunter2@db') // 'postgres://me:**********@db'
 */
export function createScrubber(secrets: Iterable<string>): (text: string) => string {
  const patterns = new Set<string>()
  for (const secret of secrets) for (const form of formsOf(secret)) patterns.add(toPattern(form))
  if (patterns.size === 0) return (text) => text
  // Alternation takes the first that matches: the longest must come first.
  const longestFirst = [...patterns].sort((a, b) => b.length - a.length)
  const any = new RegExp(longestFirst.join('|'), 'g')
  return (text) => text.replace(any, MASK)
}

function formsOf(secret: string): Set<string> {
  const forms = new Set<string>()
  if (secret.length < 2 || secret === MASK) return forms
  const plain = [secret, misread(secret), ...linesOf(secret), ...innerSecrets(secret)]
  for (const text of plain) {
    forms.add(text)
    if (text.length < SHORT) continue
    for (const form of [...escapedForms(text), ...base64Forms(text)]) forms.add(form)
  }
  return forms
}

/** As a server writes it that takes the bytes of a header for Latin-1. */
const misread = (text: string) => Buffer.from(text).toString('latin1')

function escapedForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1)
  const url = encodeWellFormed(text)
  const form = new URLSearchParams([['', text]]).toString().slice(1)
  return [json, JSON.stringify(json).slice(1, -1), url, url.toLowerCase(), form]
}

const encodeWellFormed = (text: string) => encodeURIComponent(text.toWellFormed())

/** The part of the base64 that does not depend on what stands before or after, for each alignment. */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text)
  return [0, 1, 2].flatMap((offset) => {
    const base64 = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    const core = base64.slice(
      Math.ceil((offset * 8) / 6),
      Math.floor(((offset + bytes.byteLength) * 8) / 6),
    )
    const urlSafe = core.replaceAll('+', '-').replaceAll('/', '_')
    return core.length < PIECE ? [] : [core, urlSafe, encodeURIComponent(core)]
  })
}

/** Keys in PEM are often logged line by line. Their armour is no secret. */
function linesOf(secret: string): string[] {
  const lines = secret.split(/\r?\n|\\n/).map((line) => line.trim())
  if (lines.length < 2) return []
  return lines.filter((line) => line.length >= PIECE && !line.startsWith('-----'))
}

/** A service account file is a secret that holds secrets: what its credential-like fields say. */
function innerSecrets(secret: string): string[] {
  if (!secret.trimStart().startsWith('{')) return []
  try {
    const values = Object.entries(JSON.parse(secret) as Record<string, unknown>)
    return values.flatMap(([name, value]) =>
      typeof value === 'string' && value.length >= PIECE && /key|secret|token|passw/i.test(name)
        ? [value, ...linesOf(value)]
        : [],
    )
  } catch {
    return []
  }
}

function toPattern(form: string): string {
  const literal = form.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  return form.length < SHORT ? `(?<!\\w)${literal}(?!\\w)` : literal
}
