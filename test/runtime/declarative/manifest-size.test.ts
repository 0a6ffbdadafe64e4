import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { ROOT } from '../../../scripts/lib/bundle.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { parseYaml } from '../../../src/runtime/declarative/manifest/parse-yaml.ts'
import { largeManifest } from '../../support/large-manifest.ts'

/** Each level holds the one before it several times. */
const levels = (count: number, level: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => level(i)).join('\n')
const head = `version: 7.39.1
type: DeclarativeSource
check: { type: CheckStream, stream_names: [a] }
`

describe('a manifest of a few lines that stands for more than a memory holds', () => {
  it.each([
    [
      'by aliases',
      `a0: &a0 [x, x, x]\n${levels(12, (i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`)}`,
    ],
    [
      'by few aliases of a long list',
      `a: &a [${'x,'.repeat(3000)}]\nb: [${Array(900).fill('*a').join(',')}]`,
    ],
    [
      'by references',
      `${head}streams: ["#/definitions/d14"]\ndefinitions:\n  d0: { type: x }\n${levels(
        14,
        (i) => `  d${i + 1}: { a: "#/definitions/d${i}", b: "#/definitions/d${i}", c: x }`,
      )}\n  d99: [${Array(90).fill('"#/definitions/d14"').join(',')}]`,
    ],
  ])('%s is refused', (_, text) => {
    const load = () => (text.startsWith(head) ? loadManifest(text) : parseYaml(text))
    expect(load).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED', field: 'manifest' }))
  })

  it('by a chain of references without end is refused', () => {
    const chain = levels(3000, (i) => `  d${i + 1}: { a: "#/definitions/d${i}" }`)
    const text = `${head}streams: ["#/definitions/d3000"]\ndefinitions:\n  d0: { type: x }\n${chain}`
    expect(() => loadManifest(text)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        message: expect.stringMatching(/deep/),
      }),
    )
  })
})

describe('a manifest of a megabyte and a quarter', () => {
  it('is loaded within the memory of a Worker', () => {
    expect(largeManifest().length).toBeGreaterThan(1_250_000)
    const script = `
      import { largeManifest } from '${ROOT}/test/support/large-manifest.ts'
      import { loadManifest } from '${ROOT}/src/runtime/declarative/manifest/load.ts'
      console.log(loadManifest(largeManifest()).children('streams').length)`
    const args = ['--max-old-space-size=64', '--input-type=module', '-e', script]
    expect(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim()).toBe('340')
  })

  it('means what it means as one piece', () => {
    const text = ODD.repeat(200).replaceAll(/^(top|"quoted|list|same)/gm, numbered())
    expect(text.length).toBeGreaterThan(60_000)
    const whole = JSON.stringify(parse(text, { version: '1.1' }))
    expect(JSON.stringify(parseYaml(text)) === whole).toBe(true)
    expect(JSON.stringify(parseYaml(text.replaceAll('\n', '\r\n'))) === whole).toBe(true)
  })

  it('has its mistakes at their lines', () => {
    const text = largeManifest().replace('      type: SimpleRetriever', '      type: "Simple')
    const line = text.split('\n').findIndex((one) => one.includes('"Simple')) + 1
    expect(() => parseYaml(text)).toThrow(new RegExp(`line (${line}|${line + 1}),`))
  })
})

/** Each form of YAML that manifests are written in. */
const ODD = `# a comment
top: # of it
  nested:
    text: |
      # no comment
      key: no key

        indented
    folded: >-
      one
      two
    quoted: "a: b
      - c"
    flow: { a: [1, 2], "b: c": 'd' }
    200: { yes: on }
  # between
  empty:

"quoted: key": x
list:
  - name: a
    items:
      - - 1
        - 2
      -
        deep: true
  - |2
      kept
  - plain
     goes on
  - { a: b }
same:
- type: A
  'it''s': y
-
  type: B
`

function numbered() {
  let n = 0
  return (word: string) => `${word}${n++}`
}
