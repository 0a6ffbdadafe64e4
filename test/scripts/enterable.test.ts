import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { requireEnterable } from '../../scripts/lib/enterable.ts'

it('names the directory that other users may not enter, and what to do', () => {
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-enterable-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const below = join(directory, 'project', 'bin')
  mkdirSync(below, { recursive: true })
  expect(() => requireEnterable(below)).toThrow(
    `may not enter ${directory}. Run this as another user, or: chmod o+x '${directory}'`,
  )
  chmodSync(directory, 0o711)
  expect(() => requireEnterable(below)).not.toThrow()
})
