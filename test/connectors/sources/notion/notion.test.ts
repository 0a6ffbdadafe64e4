import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadManifest } from '../../../../src/runtime/declarative/manifest/load.ts'
import { CONNECTORS } from '../declarative/connector.ts'
import { declarativeConformance } from '../declarative/suite.ts'
import { notionFields } from './document.ts'
import { notion } from './mock.ts'

declarativeConformance(notion)

describe('the schemas of Notion', () => {
  const root = loadManifest(readFileSync(join(CONNECTORS, 'notion/manifest.yaml'), 'utf8'))
  const schemas = new Map(
    root
      .children('streams')
      .map((stream) => [stream.text('name'), stream.child('schema_loader').object('schema')]),
  )

  it.each([
    ['pages', 'PageObjectResponse'],
    ['databases', 'DatabaseObjectResponse'],
    ['users', 'UserObjectResponse'],
    ['blocks', 'BlockObjectResponse'],
    ['comments', 'CommentObjectResponse'],
  ])('have every field that Notion types, and no other: %s', (stream, type) => {
    const fields = Object.keys(schemas.get(stream)?.properties ?? {})
    expect(fields.sort()).toEqual([...notionFields(type)].sort())
  })
})
