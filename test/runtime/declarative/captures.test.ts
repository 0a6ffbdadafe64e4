import { describe, expect, it } from 'vitest'
import { capturesOf } from '../../../src/runtime/declarative/captures.ts'

describe('what the metadata of a connector says that incremental reads see', () => {
  it('is a list of kinds of change for each stream', () => {
    expect(capturesOf({ issues: ['creates', 'updates'], events: ['creates'] })).toEqual({
      issues: { creates: true, updates: true, deletes: false },
      events: { creates: true, updates: false, deletes: false },
    })
    expect(capturesOf(undefined)).toEqual({})
  })

  it.each([
    [['creates'], "metadata.yaml: 'data.captures' must be an object of streams."],
    [
      { issues: 'creates' },
      "metadata.yaml: 'data.captures.issues' must be a list of creates, updates, deletes.",
    ],
    [
      { issues: ['created'] },
      "metadata.yaml: 'data.captures.issues' has 'created', which is not known.",
    ],
  ])('is refused by name when it is wrong: %j', (table, message) => {
    expect(() => capturesOf(table)).toThrow(message)
  })
})
