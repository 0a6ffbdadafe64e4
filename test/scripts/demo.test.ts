import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { ROOT } from '../../scripts/lib/bundle.ts'

it('npm run demo moves a real database and ends with equal tables', {
  timeout: 180_000,
}, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/demo.ts')])
  const [first, second] = stdout.split('only what changed')
  expect(first).toMatch(/public\.flights +20000 +20000 +0/)
  expect(second).toMatch(/public\.flights +0 +0 +0/)
  expect(second?.match(/ true$/gm)).toHaveLength(3)
})
