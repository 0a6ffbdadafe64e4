/**
 * Says at the end what failed, and adds up vitest's JSON reports. Of a step that broke without a
 * failed test, which counts as one failure, it shows the last lines.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const MOST_FAILURES = 40
const [directory, ...brokenSteps] = process.argv.slice(2)
const read = (file) => stripVTControlCharacters(readFileSync(join(directory, file), 'utf8'))
const reports = readdirSync(directory)
  .filter((file) => file.endsWith('.json'))
  .map((file) => JSON.parse(read(file)))
const sum = (field) => reports.reduce((total, report) => total + report[field], 0)

const failures = reports.flatMap(({ testResults }) => testResults.flatMap(failuresOf))
for (const failure of failures.slice(0, MOST_FAILURES)) console.log(`${failure}\n`)
for (const step of brokenSteps) {
  console.log(`failed step: ${step}`)
  if (failures.length === 0) console.log(lastLines(read(`${step}.log`), 60))
}
const failed = Math.max(sum('numFailedTests'), failures.length, brokenSteps.length)
console.log(`${sum('numPassedTests')} passed, ${failed} failed`)

function failuresOf({ name, status, message, assertionResults }) {
  const failed = assertionResults.filter((test) => test.status === 'failed')
  if (failed.length === 0)
    return status === 'failed' ? [`FAILED ${name}\n${firstLines(message)}`] : []
  return failed.map(
    ({ fullName, failureMessages }) =>
      `FAILED ${name} > ${fullName}\n${firstLines(failureMessages.join('\n'))}`,
  )
}

function firstLines(text) {
  return text.split('\n').slice(0, 12).join('\n')
}

function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
