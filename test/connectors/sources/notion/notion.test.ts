import { describe, expect, it } from 'vitest'
import { manifestSchemas } from '../declarative/connector.ts'
import { declarativeConformance } from '../declarative/suite.ts'
import { notionFields } from './document.ts'
import { notion } from './mock.ts'

declarativeConformance(notion)

describe('the schemas of Notion', () => {
  const schemas = manifestSchemas('notion')

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
