import { span } from '../../workspace/format.ts'

/** Ages that the settings offer as a target, in seconds; 0 is none. */
export const TARGETS = [0, 900, 3600, 6 * 3600, 24 * 3600, 7 * 86_400] as const

export const spanOfTarget = (seconds: number) => `within ${span(seconds * 1000)}`
