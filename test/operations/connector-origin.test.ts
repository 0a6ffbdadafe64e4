import { describe, expect, it } from 'vitest'
import { filesBeside, gitUrl, parseOrigin } from '../../src/operations/connectors/origin.ts'

const HOSTS =
  'github=https://raw.test/{repo}/{ref}/{path} mine=https://git.test/{repo}/raw/{path}?at={ref}'

describe('where a connector is', () => {
  it.each([
    ['source-pokeapi', { origin: { from: 'registry', location: 'source-pokeapi' } }],
    [
      'pokeapi@0.2.1',
      { origin: { from: 'registry', location: 'source-pokeapi' }, version: '0.2.1' },
    ],
    [
      'https://a.test/m.yaml?token=x#y',
      { origin: { from: 'url', location: 'https://a.test/m.yaml' } },
    ],
    ['github:o/r@v1:a/b.yaml', { origin: { from: 'git', location: 'github:o/r@v1:a/b.yaml' } }],
  ])('%s is understood', (from, expected) => expect(parseOrigin(from)).toEqual(expected))

  it.each([
    '',
    'Source Poke',
    'destination-s3',
    'https://u:p@a.test/m.yaml',
    'http://',
    '../x',
    'file:///etc/passwd',
  ])('%j is refused without being repeated whole', (from) => {
    expect(() => parseOrigin(from)).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED', field: 'from' }),
    )
  })
})

describe('a file of a git host', () => {
  it('has the address that the operator gave a pattern for', () => {
    expect(gitUrl('github:o/r@feature/x:a b/m.yaml', HOSTS)).toBe(
      'https://raw.test/o/r/feature/x/a%20b/m.yaml',
    )
    expect(gitUrl('mine:group/sub/r@main:m.yaml', HOSTS)).toBe(
      'https://git.test/group/sub/r/raw/m.yaml?at=main',
    )
  })

  it.each([
    'github:o/r@main:../../x',
    'github:o/..@main:x',
    'github:o/r@a/../b:x',
    'other:o/r@a:x',
  ])('%s is refused', (location) =>
    expect(() => gitUrl(location, HOSTS)).toThrow(expect.objectContaining({ field: 'from' })),
  )
})

it('takes the files beside a manifest, and a file of another name alone', () => {
  expect(filesBeside('https://a.test/x/manifest.yaml?at=1')).toEqual({
    manifest: 'https://a.test/x/manifest.yaml?at=1',
    metadata: 'https://a.test/x/metadata.yaml?at=1',
    components: 'https://a.test/x/components.py?at=1',
  })
  expect(filesBeside('https://a.test/x/other.yaml')).toEqual({
    manifest: 'https://a.test/x/other.yaml',
  })
})
