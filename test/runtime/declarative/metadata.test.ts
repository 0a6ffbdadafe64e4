import { describe, expect, it } from 'vitest'
import { readMetadata } from '../../../src/runtime/declarative/index.ts'

const DATA = {
  ...{ definitionId: 'ef69ef6e', name: 'GitHub', dockerRepository: 'airbyte/source-github' },
  ...{ dockerImageTag: '1.2.3', license: 'ELv2', connectorType: 'source' },
}

const text = (over: Record<string, string | undefined> = {}) =>
  JSON.stringify({ data: { ...DATA, ...over }, metadataSpecVersion: '1.0' })

describe('the metadata of a connector', () => {
  it('says its name, title, version and licence', () => {
    expect(readMetadata(text())).toEqual({
      info: {
        ...{ name: 'github', title: 'GitHub', definitionId: 'ef69ef6e', version: '1.2.3' },
        evidence: 'docs',
      },
      license: 'ELv2',
      captures: {},
    })
  })

  it('takes the name of its folder, and our evidence', () => {
    const { info } = readMetadata(text({ evidence: 'live(2026-11-01)' }), 'my-github')
    expect(info).toMatchObject({ name: 'my-github', evidence: 'live(2026-11-01)' })
  })

  it('says which CDK ran it, where its image is that of manifests', () => {
    const ranWith = (baseImage?: string) =>
      readMetadata(JSON.stringify({ data: { ...DATA, connectorBuildOptions: { baseImage } } }))
        .ranWith
    expect(ranWith('docker.io/airbyte/source-declarative-manifest:6.51.0@sha256:890b')).toBe(
      '6.51.0',
    )
    expect(ranWith('docker.io/airbyte/python-connector-base:4.0.0@sha256:d9894')).toBeUndefined()
    expect(ranWith(undefined)).toBeUndefined()
  })

  it.each([
    ['name', { name: undefined }, 'metadata.data.name'],
    ['license', { license: '' }, 'metadata.data.license'],
    ['evidence', { evidence: 'sure' }, 'metadata.data.evidence'],
  ])('refuses a wrong %s by its path', (_title, over, field) => {
    expect(() => readMetadata(text(over))).toThrow(expect.objectContaining({ field }))
  })
})
