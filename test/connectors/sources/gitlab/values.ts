import type { Row } from '../declarative/placed-rows.ts'
import { hour } from '../declarative/synthetic.ts'

export const HOST = 'https://gitlab.example.test'

/** With milliseconds, as GitLab writes it. */
export const stamp = (at: number): string => hour(at).replace('Z', '.000Z')
export const day = (at: number): string => hour(at).slice(0, 10)

/** A field for each of the names. */
export const fields = <T>(names: string, value: (name: string) => T): Record<string, T> =>
  Object.fromEntries(names.split(' ').map((name) => [name, value(name)]))
export const texts = (n: number, names: string): Row => fields(names, (name) => `${name} ${n}`)
export const flags = (n: number, names: string): Row => fields(names, () => n % 3 === 0)
export const numbers = (n: number, names: string): Row => fields(names, () => n)
export const days = (at: number, names: string): Row => fields(names, () => day(at))
export const times = (at: number, names: string): Row => fields(names, () => stamp(at))
export const objects = (names: string): Row => fields(names, (name) => ({ name }))

/** The row, with null in the second part when `n` is odd. */
export const row = (n: number, always: Row, sometimes: Row): Row => ({
  ...always,
  ...(n % 2 === 0 ? sometimes : fields(Object.keys(sometimes).join(' '), () => null)),
})
