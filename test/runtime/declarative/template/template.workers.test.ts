import { expect, it } from 'vitest'
import { interpolateString } from '../../../../src/runtime/declarative/template/index.ts'

it('renders in workerd as in Node: dates, zones, hashes, base64, large integers', () => {
  const context = { record: { id: 9007199254740993n, t: '2024-02-29T12:34:56+02:00' } }
  const evaluate = (source: string) => interpolateString(source, context)
  expect(evaluate("{{ format_datetime(record.t, '%Y-%m-%d %H:%M') }}")).toBe('2024-02-29 10:34')
  expect(evaluate("{{ today_with_timezone('Pacific/Tarawa').year > 2000 }}")).toBe(true)
  expect(evaluate("{{ 'abc' | hash('md5') }}")).toBe('900150983cd24fb0d6963f7d28e17f72')
  expect(evaluate("{{ 'a' | hmac('k') | length }}")).toBe(64)
  expect(evaluate("{{ 'é' | base64encode | base64decode }}")).toBe('é')
  expect(evaluate('{{ record.id + 1 }}')).toBe(9007199254740994n)
})
