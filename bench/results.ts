import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { say } from '../scripts/lib/terminal.ts'

/** Writes what a bench measured to `bench/results/`, and says where. */
export function saveResult(name: string, result: Record<string, unknown>): void {
  const date = new Date().toISOString()
  const results = join(import.meta.dirname, 'results')
  mkdirSync(results, { recursive: true })
  const file = join(results, `${name}-${date.slice(0, 19).replaceAll(':', '-')}.json`)
  writeFileSync(file, `${JSON.stringify({ date, cpus: cpus().length, ...result }, null, 2)}\n`)
  say(`written to ${file}`)
}
