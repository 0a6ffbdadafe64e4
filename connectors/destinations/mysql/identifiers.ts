/** Names that MySQL takes: 64 characters of the basic plane, none of them a blank at the end. */
import {
  columnNames,
  fittingName,
  type NameRules,
  shortHash,
} from '../../../src/runtime/loading/names.ts'

const MAX_CHARACTERS = 64
/** A table's name is that of its file, in which anything but letters, digits and `_` takes five bytes. */
const MAX_FILE_NAME = 240

const fileName = (name: string) => name.replaceAll(/[^A-Za-z0-9_]/g, '@0000')

const RULES: NameRules = {
  clean(name) {
    const clean = name
      .replaceAll(/[\0\u{10000}-\u{10ffff}]|\p{Cs}/gu, '_')
      .replace(/[ \t\n\v\f\r]+$/, '')
    return clean === name ? name : `${clean}_${shortHash(name)}`
  },
  fits: (name) => name.length <= MAX_CHARACTERS,
  fold: foldedName,
  another: (field, n) => `${field}_${shortHash(field)}${n > 1 ? `_${n}` : ''}`,
}

/**
 * Columns are compared without regard to case and accents. Where the server tells letters apart that
 * are one here, a name is longer than it need be.
 */
export function foldedName(name: string): string {
  return name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toUpperCase()
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
}

export const columnIdentifiers = (fields: string[], reserved: Iterable<string>) =>
  columnNames(fields, reserved, RULES)

/** @param lowerCase the server keeps names of tables, or compares them, in lower case */
export function tableIdentifier(name: string, lowerCase: boolean): string {
  const fitting = fittingName(name, {
    ...RULES,
    fits: (own) => RULES.fits(own) && fileName(own).length <= MAX_FILE_NAME,
  })
  return lowerCase ? fitting.toLowerCase() : fitting
}
