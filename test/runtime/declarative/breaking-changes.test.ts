import { describe, expect, it } from 'vitest'
import {
  changesBetween,
  compareVersions,
  readForeignMetadata,
} from '../../../src/runtime/declarative/index.ts'

describe('versions', () => {
  it.each([
    ['1.2.3', '1.2.3', 0],
    ['1.10.0', '1.9.9', 1],
    ['2.0', '2.0.0', 0],
    ['1.0.0-rc.1', '1.0.0', -1],
    ['1.0.0-rc.2', '1.0.0-rc.1', 1],
    ['0.9.0', '1.0.0', -1],
  ])('%s and %s compare as %i', (a, b, order) => {
    expect(Math.sign(compareVersions(a, b))).toBe(order)
  })
})

describe('breaking changes', () => {
  const { breakingChanges } = readForeignMetadata(
    JSON.stringify({
      data: {
        ...{ definitionId: 'd', name: 'N', dockerRepository: 'airbyte/source-n' },
        ...{ dockerImageTag: '3.0.0', license: 'MIT' },
        releases: {
          breakingChanges: {
            '3.0.0': { message: 'three', upgradeDeadline: '2024-03-01' },
            '1.0.0': { message: 'one', migrationDocumentationUrl: 'https://docs.test/one' },
            '2.0.0': {
              message: 'x'.repeat(5000),
              scopedImpact: [{ scopeType: 'stream', impactedScopes: ['a', 'b'] }, 'odd'],
            },
            odd: 'not an object',
          },
        },
      },
    }),
  )
  const versions = (from: string, to: string) =>
    changesBetween(breakingChanges, from, to).map(({ version }) => version)

  it('are read with deadline, place and streams, and cut', () => {
    expect(breakingChanges).toMatchObject([
      { version: '1.0.0', message: 'one', migrationUrl: 'https://docs.test/one' },
      { version: '2.0.0', streams: ['a', 'b'] },
      { version: '3.0.0', deadline: '2024-03-01' },
    ])
    expect(breakingChanges[1]?.message).toHaveLength(2000)
  })

  it('lie after the one release and up to the other, whichever way one goes', () => {
    expect(versions('1.0.0', '3.0.0')).toEqual(['2.0.0', '3.0.0'])
    expect(versions('3.0.0', '1.5.0')).toEqual(['2.0.0', '3.0.0'])
    expect(versions('2.0.0', '2.9.0')).toEqual([])
  })
})

describe('the metadata of somebody else', () => {
  const text = (over: object) =>
    JSON.stringify({
      data: {
        ...{ definitionId: 'd', name: 'N', dockerRepository: 'airbyte/source-n' },
        ...{ dockerImageTag: '1.0.0', evidence: 'live(2026-01-01)', ...over },
      },
    })

  it('says nothing of evidence, and a licence only if it is there', () => {
    expect(readForeignMetadata(text({}))).toMatchObject({
      ...{ license: 'unknown', info: { name: 'n', evidence: 'none' }, breakingChanges: [] },
    })
  })

  it('is refused for a destination', () => {
    expect(() => readForeignMetadata(text({ connectorType: 'destination' }))).toThrow(
      expect.objectContaining({ field: 'metadata.data.connectorType' }),
    )
  })
})
