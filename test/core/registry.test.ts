import { describe, expect, it } from 'vitest'
import * as connectors from '../../connectors/index.ts'
import { connectorIndex, staleFiles } from '../../scripts/generate.ts'
import { createRegistry } from '../../src/core/connector-registry.ts'
import { createDestinationRegistry } from '../../src/core/destination-registry.ts'
import { nearest } from '../../src/core/nearest.ts'
import { createSourceRegistry } from '../../src/core/source-registry.ts'
import { AirbyteError } from '../../src/protocol/index.ts'
import type { ConnectorInfo } from '../../src/runtime/contract.ts'

const connector = (name: string, title = name): { info: ConnectorInfo } => ({
  info: { name, title, definitionId: `id-of-${name}`, version: '1.0.0', evidence: 'fixtures' },
})

const registry = createRegistry('source', [
  connector('postgres', 'PostgreSQL'),
  connector('mysql', 'MySQL'),
  connector('google-sheets', 'Google Sheets'),
  connector('google-ads', 'Google Ads'),
])

function failureOf(call: () => unknown): AirbyteError {
  try {
    call()
  } catch (error) {
    if (error instanceof AirbyteError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('a connector registry', () => {
  it('finds a connector by name, whatever its case, and by definition id', () => {
    expect(registry.get('postgres').info.title).toBe('PostgreSQL')
    expect(registry.get(' Postgres ').info.title).toBe('PostgreSQL')
    expect(registry.get('id-of-mysql').info.name).toBe('mysql')
  })

  it.each([
    ['postgress', ['postgres']],
    ['postgresql', ['postgres']],
    ['psotgres', ['postgres']],
    ['google', ['google-ads', 'google-sheets']],
    ['google_sheets', ['google-sheets']],
  ])('answers %s with %j', (name, didYouMean) => {
    expect(failureOf(() => registry.get(name))).toMatchObject({
      code: 'CONNECTOR_NOT_FOUND',
      didYouMean,
    })
  })

  it('lists what exists when nothing is near', () => {
    const error = failureOf(() => registry.get('zzzzzzzz'))
    expect(error.didYouMean).toEqual([])
    expect(error.hint).toContain('google-ads, google-sheets, mysql, postgres')
  })

  it.each(['constructor', '__proto__', '', 'x'.repeat(100_000)])('does not find %.20s', (name) => {
    expect(failureOf(() => registry.get(name)).code).toBe('CONNECTOR_NOT_FOUND')
  })

  it('lists all by name, or what a query matches, best first', () => {
    const names = (query?: string) => registry.list({ query }).map((c) => c.info.name)
    expect(names()).toEqual(['google-ads', 'google-sheets', 'mysql', 'postgres'])
    expect(names('SQL')).toEqual(['mysql', 'postgres'])
    expect(names('google sheets')).toEqual(['google-sheets'])
    expect(names('postgress')).toEqual(['postgres'])
    expect(names('nothing like it')).toEqual([])
  })

  it('refuses two connectors of one name', () => {
    expect(() => createRegistry('source', [connector('a'), connector('a')])).toThrow('called a')
  })
})

describe('nearest', () => {
  it('does not offer what is far', () => {
    expect(nearest('host', ['port', 'password', 'hots'])).toEqual(['hots'])
  })
})

describe('the connectors of this repository', () => {
  it('are in the generated index, and the generated files are fresh', () => {
    expect(staleFiles()).toEqual([])
  })

  it('make valid registries', () => {
    const sources = createSourceRegistry(connectors.sources)
    const destinations = createDestinationRegistry(connectors.destinations)
    expect(sources.list()).toHaveLength(connectors.sources.length)
    expect(destinations.list()).toHaveLength(connectors.destinations.length)
  })
})

describe('connectorIndex', () => {
  it('imports each folder once, with a name that is an identifier', () => {
    const text = connectorIndex(['7shifts', 'sample-data'], ['dev-null'])
    expect(text).toContain("import _7shiftsSource from './sources/7shifts/index.ts'")
    expect(text).toContain("import sampleDataSource from './sources/sample-data/index.ts'")
    expect(text).toContain('export const destinations: Destination[] = [devNullDestination]')
  })

  it('imports the manifest of a declarative connector as text, in the order of names', () => {
    const info = { ...connector('hacker-news', "Hacker's News").info, name: 'hacker-news' }
    const text = connectorIndex(['sample-data'], [], [{ info }])
    expect(text).toContain(`import hackerNewsManifest from './sources/hacker-news/manifest.yaml'
import hackerNewsMetadata from './sources/hacker-news/metadata.yaml'
import sampleDataSource from './sources/sample-data/index.ts'`)
    expect(text).toContain(`  sampleDataSource,
  manifestSource(
    hackerNewsManifest,
    {
      name: 'hacker-news',
      title: "Hacker's News",`)
  })
  it('imports the classes of a manifest whose folder has some', () => {
    const { info } = connector('shop')
    const text = connectorIndex([], [], [{ info, hasClasses: true }])
    expect(
      text,
    ).toContain(`import { components as shopComponents } from './sources/shop/components.ts'
import shopManifest from './sources/shop/manifest.yaml'`)
    expect(text).toContain(`    shopMetadata,
    shopComponents,
  )`)
  })
})
