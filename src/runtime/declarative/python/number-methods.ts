import type { Methods } from './methods.ts'
import { asNumber, isFloat, isInt, type Value } from './values.ts'

const INT_METHODS: Methods = {
  bit_length: (self) => {
    const whole = BigInt(self as number)
    return whole === 0n ? 0 : (whole < 0n ? -whole : whole).toString(2).length
  },
  conjugate: (self) => (typeof self === 'boolean' ? Number(self) : self),
}

const FLOAT_METHODS: Methods = {
  is_integer: (self) => Number.isInteger(asNumber(self)),
  conjugate: (self) => self,
}

export function numericMethods(value: Value): Methods | undefined {
  if (isInt(value) || typeof value === 'boolean') return INT_METHODS
  return isFloat(value) ? FLOAT_METHODS : undefined
}
