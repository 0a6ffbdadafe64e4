import { existsSync, readdirSync } from 'node:fs'
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
})
