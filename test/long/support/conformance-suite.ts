import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const PROGRAM = join(
  ...[import.meta.dirname, '../../../node_modules/@modelcontextprotocol/conformance/dist/index.js'],
)

export const REVISIONS = ['2025-11-25', '2026-07-28'] as const

export interface SuiteRun {
  /** Checks that did not pass, by scenario. */
  failed: Record<string, string[]>
  passed: number
  /** Scenarios in the order in which they ran. */
  scenarios: string[]
}

/**
 * Runs the official conformance suite.
 *
 * @param output where it may write; read for what failed
 * @param onPrinted receives everything that was printed so far, each time there is more
 */
export async function runSuite(
  output: string,
  args: readonly string[],
  onPrinted: (printed: string) => void = () => {},
): Promise<SuiteRun> {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--output-dir', output], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      onPrinted(printed)
    })
  }
  await new Promise((resolve) => child.on('close', resolve))
  const total = /Total: (\d+) passed, (\d+) failed/.exec(printed)
  if (!total) throw new Error(`The suite did not come to its end:\n${printed.slice(-2000)}`)
  const scenarios = [...printed.matchAll(/=== Running scenario: (\S+) ===/g)].map(
    ([, name]) => name as string,
  )
  return { failed: failuresIn(output), passed: Number(total[1]), scenarios }
}

interface Check {
  id: string
  status: string
  errorMessage?: string
}

/** A folder bears the name of the scenario and the time of the run. */
function failuresIn(output: string): Record<string, string[]> {
  const entries = readdirSync(output, { recursive: true, encoding: 'utf8' })
  const files = entries.filter((entry) => entry.endsWith('checks.json'))
  return Object.fromEntries(
    files.flatMap((file) => {
      const checks = JSON.parse(readFileSync(join(output, file), 'utf8')) as Check[]
      const failed = checks.filter(({ status }) => status === 'FAILURE').map(({ id }) => id)
      const scenario = file.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '')
      return failed.length > 0 ? [[scenario, failed]] : []
    }),
  )
}
