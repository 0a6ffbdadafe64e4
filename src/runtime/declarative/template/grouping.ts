import { equal } from '../python/equality.ts'
import { checkItems, PythonError } from '../python/errors.ts'
import { iterate } from '../python/iteration.ts'
import { sortValues } from '../python/list-methods.ts'
import { Tuple, type Value } from '../python/values.ts'
import { foldCase } from './fold-case.ts'

/** Lists of `size` items; the last is filled up when there is something to fill it with. */
export function* batches(value: Value, size: number, fill: Value): Iterable<Value> {
  let batch: Value[] = []
  for (const item of iterate(value)) {
    if (batch.length === size) {
      yield batch
      batch = []
    }
    batch.push(item)
  }
  if (batch.length === 0) return
  checkItems(size)
  while (fill !== undefined && fill !== null && batch.length < size) batch.push(fill)
  yield batch
}

/** As many lists as asked for, the first ones longer by one. */
export function* columns(items: Value[], count: number, fill: Value): Iterable<Value> {
  if (count === 0) throw new PythonError('ZeroDivisionError', 'integer division or modulo by zero')
  checkItems(count)
  const size = Math.floor(items.length / count)
  const longer = items.length % count
  let start = 0
  for (let column = 0; column < count; column++) {
    const end = start + size + (column < longer ? 1 : 0)
    const part = items.slice(start, end)
    if (fill !== undefined && fill !== null && column >= longer) part.push(fill)
    yield part
    start = end
  }
}

/** Groups in order of their key; a group can be read as a pair or by `.grouper` and `.list`. */
export function groups(value: Value, get: (item: Value) => Value, caseSensitive: boolean): Value[] {
  const keyOf = (item: Value) => foldCase(get(item), caseSensitive)
  const result: Tuple[] = []
  let members: Value[] = []
  let last: Value
  for (const item of sortValues([...iterate(value)], keyOf, false)) {
    const key = keyOf(item)
    if (last === undefined || !equal(last, key)) {
      members = []
      result.push(Tuple.of<Value>(get(item), members))
    }
    last = key
    members.push(item)
  }
  return result
}
