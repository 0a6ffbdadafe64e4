import type { ValidType } from '../template/index.ts'

const PYTHON_TYPES: Record<string, ValidType> = {
  string: 'str',
  number: 'float',
  integer: 'int',
  boolean: 'bool',
}

/** The Python types that a `value_type` admits; undefined admits all. */
export const validTypesOf = (valueType: string | undefined): ValidType[] | undefined =>
  valueType === undefined ? undefined : [PYTHON_TYPES[valueType] ?? 'str']
