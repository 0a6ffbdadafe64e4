import { describe, expect, it } from 'vitest'
import { manifestSource } from '../../../src/runtime/declarative/index.ts'

const INFO = {
  ...{ name: 'shop', title: 'Shop', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}

describe('a source from the text of a manifest', () => {
  it('reads the text when it is first used, not when it is listed', () => {
    const broken = manifestSource('streams: [', INFO)
    expect(broken.info).toEqual(INFO)
    expect(broken.capabilities.formats).toEqual([])
    expect(() => broken.spec()).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }))
  })
})
