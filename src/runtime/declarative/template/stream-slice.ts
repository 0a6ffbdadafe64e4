import { mappingEntries, mappingGet, PyMapping } from '../python/mappings.ts'
import type { Value } from '../python/values.ts'
import { Undefined } from './undefined.ts'

export interface SliceParts {
  /** Keys of the partition router. */
  partition?: Value
  /** Keys of the cursor: start and end of the window. */
  cursorSlice?: Value
  /** What the parent passes along; no part of the partition's identity. */
  extraFields?: Value
}

/**
 * The slice as templates see it under its three names: partition and cursor keys in one map, and
 * `.partition`, `.cursor_slice`, `.extra_fields` as attributes.
 */
export class StreamSlice extends PyMapping {
  override readonly typeName = 'dict'
  readonly partition: Value
  readonly cursorSlice: Value
  readonly extraFields: Value

  constructor({ partition = {}, cursorSlice = {}, extraFields = {} }: SliceParts) {
    super()
    this.partition = partition
    this.cursorSlice = cursorSlice
    this.extraFields = extraFields
  }

  get(key: Value): Value {
    const value = mappingGet(this.cursorSlice, key)
    return value === undefined ? mappingGet(this.partition, key) : value
  }

  *entries(): Iterable<readonly [Value, Value]> {
    yield* mappingEntries(this.partition)
    yield* mappingEntries(this.cursorSlice)
  }

  size(): number {
    return [...this.entries()].length
  }

  override attribute(name: string): Value {
    if (name === 'partition' || name === '_partition') return this.partition
    if (name === 'cursor_slice') return this.cursorSlice
    if (name === 'extra_fields') return this.extraFields
    if (name === '_cursor_slice' || name === '_extra_fields' || name === '_stream_slice')
      return new Undefined(`access to attribute '${name}' is unsafe`, 'SecurityError')
    return undefined
  }
}
