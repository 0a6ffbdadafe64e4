import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The metadata beside a manifest. */
export function metadataBeside(manifest: string): string | undefined {
  const path = join(dirname(manifest), 'metadata.yaml')
  return existsSync(path) ? path : undefined
}

/** Writes `evidence: live(date)` into a connector's metadata, and leaves all else as it stands. */
export function raiseEvidence(path: string, now: number): string {
  const evidence = `live(${new Date(now).toISOString().slice(0, 10)})`
  const text = readFileSync(path, 'utf8')
  const line = /^(\s+)evidence:.*$/m
  const raised = line.test(text)
    ? text.replace(line, `$1evidence: ${evidence}`)
    : text.replace(/^data:.*$/m, `$&\n  evidence: ${evidence}`)
  writeFileSync(path, raised)
  return evidence
}
