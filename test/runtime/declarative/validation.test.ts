import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/protocol/index.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { cases, manifestOf, verdicts } from './oracle.ts'

/** What `validate.py` puts into a field; first it is left out. */
const VALUES: JsonValue[] = [true, 1, 1.5, 'x', [], [1], ['x'], {}, { a: 1 }]

/** Where ours is another verdict than the CDK's, by field. */
const DIFFERS: Record<string, string> = {
  type: 'where one type only can stand it may be left out; where the CDK takes any, it is looked at',
  version: 'it must be one',
  scope: 'what only a sign-in page uses is handed on as it is',
  request_authentication: 'the CDK takes what is no object for one, and fails later',
  refresh_token_updater: 'the CDK takes what is no object for one, and fails later',
  record_merge_strategy: 'the CDK takes what is no object for one, and fails later',
  reduction_factor: 'how large it must be its builder says',
  // Objects without a type, where one type only can stand.
  login_requester: 'its type may be left out',
  property_selector: 'its type may be left out',
  page_size_reduction: 'its type may be left out',
  request_window_splitting: 'its type may be left out',
  key_transformation: 'its type may be left out',
  limits: 'its type may be left out',
  config_normalization_rules: 'its type may be left out',
}

function changed(
  manifest: JsonObject,
  path: (string | number)[],
  field: string,
  value?: JsonValue,
) {
  const copy = structuredClone(JSON.parse(JSON.stringify(manifest)))
  const node = path.reduce((at, step) => at[step], copy)
  if (value === undefined) delete node[field]
  else node[field] = value
  return copy as JsonObject
}

function isAccepted(manifest: JsonObject): boolean {
  try {
    loadManifest(manifest)
    return true
  } catch {
    return false
  }
}

describe('a manifest with a field left out, or of any other form', () => {
  const manifests = new Map(cases().map((one) => [one.name, manifestOf(one)]))
  const rows = verdicts()

  it('is refused where the CDK refuses it, and nowhere else', () => {
    const different = rows.flatMap(([name, path, field, verdict]) => {
      const manifest = manifests.get(name)
      if (!manifest) throw new Error(`No case '${name}': run validate.py.`)
      const ours = [undefined, ...VALUES]
        .map((value) => (isAccepted(changed(manifest, path, field, value)) ? 1 : 0))
        .join('')
      return ours === verdict ? [] : [{ name, path: path.join('.'), field, ours, verdict }]
    })
    expect(different.filter(({ field }) => !Object.hasOwn(DIFFERS, field))).toEqual([])
    // A difference that is none any more leaves the list.
    expect(new Set(different.map(({ field }) => field))).toEqual(new Set(Object.keys(DIFFERS)))
    expect(rows.length).toBeGreaterThan(600)
  }, 120_000)
})
