/** Adds up vitest's JSON reports; a step that broke without a failed test counts as one failure. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [directory, brokenSteps] = process.argv.slice(2)
const reports = readdirSync(directory).map((file) =>
  JSON.parse(readFileSync(join(directory, file), 'utf8')),
)
const sum = (field) => reports.reduce((total, report) => total + report[field], 0)
const failed = Math.max(sum('numFailedTests'), Number(brokenSteps))
console.log(`${sum('numPassedTests')} passed, ${failed} failed`)
