import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CONNECTORS } from './connector.ts'

const names = readdirSync(CONNECTORS).filter((name) =>
  existsSync(join(CONNECTORS, name, 'manifest.yaml')),
)

describe('every declarative connector', () => {
  it.each(names)('%s is tested against a mock of its vendor', (name) => {
    expect(existsSync(join(import.meta.dirname, '..', name, `${name}.test.ts`))).toBe(true)
  })

  it.each([
    ['pages', /type: DefaultPaginator/],
    ['limits', /type: DefaultErrorHandler|^api_budget:/],
  ])("has the vendor's word on its %s beside what follows from it", (_, part) => {
    expect(names.filter((name) => !isCited(name, part))).toEqual([])
  })
})

/** Whether a comment with an address stands shortly before such a part, or one that it is made of. */
function isCited(name: string, part: RegExp): boolean {
  const lines = readFileSync(join(CONNECTORS, name, 'manifest.yaml'), 'utf8').split('\n')
  return lines.some(
    (line, at) =>
      part.test(line) &&
      lines.slice(Math.max(0, at - 9), at + 3).some((near) => /^\s*#.*https:\/\//.test(near)),
  )
}
