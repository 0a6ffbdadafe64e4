import { describe, expect, it } from 'vitest'
import { checkLicense, licenseName } from '../../src/operations/connectors/license.ts'

describe('the name of a licence', () => {
  it.each([
    ['ELv2', 'ELv2'],
    ['Elv2', 'ELv2'],
    ['elastic-2.0', 'ELv2'],
    ['Elastic License 2.0', 'ELv2'],
    ['Elastic License v2.0', 'ELv2'],
    ['mit', 'MIT'],
    ['The MIT License', 'MIT'],
    ['Apache 2.0', 'Apache-2.0'],
    ['BSD-3-clause', 'BSD-3-Clause'],
    [' ', 'unknown'],
    ['GPL-3.0', 'GPL-3.0'],
  ])('%j is %s', (text, name) => expect(licenseName(text)).toBe(name))
})

describe('a licence', () => {
  const check = (license: string, allowed?: string, accepted?: string) => () =>
    checkLicense({ license, connector: 'x 1.0.0', allowed, accepted })

  it.each(['MIT', 'Apache-2.0', 'own'])('%s is free', (license) => {
    expect(check(license)).not.toThrow()
  })

  it.each([
    ['ELv2', undefined],
    ['ELv2', ''],
    ['unknown', ''],
    ['unknown', ' , '],
    ['GPL-3.0', 'ELv2'],
  ])('%s is refused where the operator allows %j, whatever the caller says', (license, allowed) => {
    expect(check(license, allowed, license)).toThrow(
      expect.objectContaining({ code: 'LICENSE_REFUSED' }),
    )
  })

  it('that the operator allows still needs the consent of the caller, by its name', () => {
    const unasked = check('ELv2', 'GPL-3.0, Elastic License 2.0')
    expect(unasked).toThrow(expect.objectContaining({ code: 'CONFIRMATION_REQUIRED' }))
    expect(check('ELv2', 'elv2', 'MIT')).toThrow(
      expect.objectContaining({ code: 'CONFIRMATION_REQUIRED', field: 'acceptLicense' }),
    )
    expect(check('ELv2', 'elv2', 'Elv2')).not.toThrow()
  })
})
