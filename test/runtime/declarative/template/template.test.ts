import { describe, expect, it } from 'vitest'
import type { AirbyteError } from '../../../../src/protocol/errors.ts'
import {
  CaseInsensitiveMap,
  compileTemplate,
  interpolateBoolean,
  interpolateMapping,
  interpolateNested,
  interpolateString,
  StreamSlice,
} from '../../../../src/runtime/declarative/template/index.ts'

const context = { config: { shop: 'a', key: 'top-secret' }, record: { id: '123' }, parameters: {} }

function failureOf(run: () => unknown): AirbyteError {
  try {
    run()
  } catch (error) {
    return error as AirbyteError
  }
  throw new Error('expected a failure')
}

describe('a template', () => {
  it('is compiled once for each distinct text', () => {
    const source = "{{ config['shop'] }}.example.com"
    expect(compileTemplate(source)).toBe(compileTemplate(source))
    expect(compileTemplate(source).render(context)).toBe('a.example.com')
  })

  it('names what it needs from its context', () => {
    expect(compileTemplate('{{ record.a ~ config.b ~ now_utc() }}').names).toEqual([
      'record',
      'config',
    ])
  })

  it('says where it cannot be read', () => {
    const error = failureOf(() => compileTemplate('a\n{{ config.x | }}'))
    expect(error.code).toBe('TEMPLATE_INVALID')
    expect(error.message).toContain('line 2, column 15')
  })

  it('says where it failed, with no value of the context in the message', () => {
    const error = failureOf(() => compileTemplate('{{ config.key | nope.x }}').render(context))
    expect(error.code).toBe('TEMPLATE_INVALID')
    const failed = failureOf(() => compileTemplate('x {{ config.no.deeper }}').render(context))
    expect(failed.code).toBe('TEMPLATE_FAILED')
    expect(failed.message).toContain('line 1, column 16')
    expect(failed.message).not.toContain('top-secret')
  })

  it('refuses an unknown name and lists those it knows', () => {
    const error = failureOf(() => interpolateString('id {{ recrod.id }}', context))
    expect(error.code).toBe('TEMPLATE_FAILED')
    expect(error.message).toContain('line 1, column 7')
    expect(error.message).toContain("'recrod' is not known here; known are config, record")
  })

  it('gives the template itself on a type error, as the reference does', () => {
    expect(interpolateString("{{ 1 + 'a' }}", context)).toBe("{{ 1 + 'a' }}")
  })

  it('evaluates an expression with side effects once', () => {
    const list = [1.5, [2.5]]
    expect(interpolateString('{{ config.list.pop() }}', { config: { list } })).toEqual([2.5])
    expect(list).toEqual([1.5])
  })

  it('keeps every digit of a large integer', () => {
    const record = { id: 9007199254740993n }
    expect(interpolateString('{{ record.id }}', { record })).toBe(9007199254740993n)
    expect(interpolateString('{{ record.id + 1 }}', { record })).toBe(9007199254740994n)
    expect(compileTemplate('{{ record.id }}').render({ record })).toBe('9007199254740993')
  })

  it('reads own keys only, whatever their name', () => {
    const config = JSON.parse('{"__proto__": 1, "constructor": 2}')
    expect(interpolateString("{{ config['__proto__'] }}", { config })).toBe(1)
    expect(interpolateString('{{ config.constructor }}', { config })).toBe(2)
    expect(interpolateString('{{ config.constructor }}', { config: {} })).toBe('')
    expect(failureOf(() => interpolateString('{{ toString }}', context)).code).toBe(
      'TEMPLATE_FAILED',
    )
    expect(failureOf(() => interpolateString("{{ '{constructor}'.format() }}", context)).code).toBe(
      'TEMPLATE_FAILED',
    )
  })
})

describe('a template made to run for ever or to grow', () => {
  const limited = [
    "{{ 'x' * 10 ** 9 }}",
    '{{ [0] * 10 ** 9 }}',
    '{{ 10 ** (10 ** 10) }}',
    "{{ '%1000000000d' % 1 }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{% set l = ['x' * 1000] %}{% for i in 'abcdefghijklmnopqrstuvwxyz' %}{% for j in 'ab' %}{% set ns = 1 %}{% endfor %}{% endfor %}{{ l * 100000 }}",
    "{% set ns = namespace(l=['x']) %}{% for i in 'abcdefghijklmnopqrstuvwxyzabcdef' %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
    "{% set ns = namespace(a=[1], b=[1]) %}{% for i in 'abcdefghijklmnopqrstuvwxyzabcdef' %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
    "{% for a in 'x' * 2000 %}{% for b in 'x' * 2000 %}{% endfor %}{% endfor %}",
    "{% for a in 'x' * 20000 %}{{ 'y' * 1000 }}{% endfor %}",
    '{% set l = [] %}{% set _ = l.append(l) %}{{ l }}',
    "{{ ('a' * 40) | regex_search('(a|a)*b') }}",
    "{{ ('a' * 40) | regex_search('((a+)+)$b') }}",
    "{{ ('a' * 5000) | regex_search('(.*.*.*=)x') }}",
  ]
  it.each(limited)('is stopped with an error: %s', (source) => {
    const began = Date.now()
    expect(failureOf(() => interpolateString(source, context)).code).toBe('TEMPLATE_FAILED')
    expect(Date.now() - began).toBeLessThan(10_000)
  })

  it('is refused when it is nested too deep to read', () => {
    const source = `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`
    expect(failureOf(() => compileTemplate(source)).code).toBe('TEMPLATE_INVALID')
  })
})

describe('interpolation', () => {
  it('turns text into a number unless its type says otherwise', () => {
    expect(interpolateString("{{ record['id'] }}", context)).toBe(123)
    expect(interpolateString("{{ record['id'] }}", context, { validTypes: ['str'] })).toBe('123')
  })

  it('falls back to the default when the result is empty or undefined', () => {
    expect(interpolateString('{{ config.no }}', context)).toBe('')
    expect(interpolateString('{{ config.no }}', context, { default: null })).toBe(null)
    expect(interpolateString('{{ config.no.no }}', context, { default: '{{ 1 }}' })).toBe(1)
  })

  it('takes none, empty collections and their texts for false, and any other text for true', () => {
    for (const source of ['False', 'false', '0', '0.0', '{}', '[]', '()', '', '{{ none }}'])
      expect(interpolateBoolean(source, context), source).toBe(false)
    for (const source of ['no', ' ', 'FALSE', 'null', '{{ config }}'])
      expect(interpolateBoolean(source, context), source).toBe(true)
  })

  it('evaluates keys and values of a map, and gives null for an empty one', () => {
    const mapping = { "{{ config['shop'] }}": '{{ record.id }}', empty: '{{ config.no }}', n: 5 }
    expect(interpolateMapping(mapping, context)).toEqual({ a: 123, empty: null, n: 5 })
  })

  it('drops null values of nested maps and keeps those of lists', () => {
    const tree = { a: { b: '{{ none }}', c: ['{{ none }}', '{{ record.id }}'] } }
    expect(interpolateNested(tree, context)).toEqual({ a: { c: [null, 123] } })
  })

  it('finds headers in any letter case', () => {
    const headers = new CaseInsensitiveMap([['x-next-page', 'b']])
    expect(interpolateString("{{ headers['X-Next-Page'] }}", { headers })).toBe('b')
    expect(interpolateString("{{ headers.get('X-NEXT-PAGE') }}", { headers })).toBe('b')
    expect(interpolateBoolean("{{ 'X-Next-Page' in headers }}", { headers })).toBe(true)
  })

  it('shows one slice under three names', () => {
    const stream_slice = new StreamSlice({
      partition: { id: 7 },
      cursorSlice: { start_time: '2024-01-01' },
      extraFields: { 'a.b': 'x' },
    })
    const both =
      "{{ stream_partition.id }}|{{ stream_interval['start_time'] }}|{{ stream_slice.extra_fields['a.b'] }}"
    expect(interpolateString(both, { stream_slice })).toBe('7|2024-01-01|x')
  })
})
