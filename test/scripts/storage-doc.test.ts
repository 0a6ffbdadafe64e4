import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../../scripts/lib/bundle.ts'

const document = readFileSync(join(ROOT, 'docs/storage.md'), 'utf8')
const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'))

const found = (pattern: RegExp) => [
  ...new Set(sources.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name))),
]

it('describes every table that an object creates', () => {
  const tables = found(/create table (?:if not exists )?(\w+)/g)
  expect(tables.length).toBeGreaterThan(10)
  expect(tables.filter((table) => !document.includes(`\`${table}\``))).toEqual([])
})

it('describes every single value that an object keeps', () => {
  const keys = found(/\bkv\.(?:put|get)(?:<[^(]*>)?\('(\w+)'/g)
  expect(keys.length).toBeGreaterThan(5)
  expect(keys.filter((key) => !document.includes(`\`${key}\``) && key !== 'schema')).toEqual([])
})
