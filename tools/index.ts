import type { Operation } from '../src/operations/define.ts'

/** Every operation, in the order in which faces list them. Adding one means adding it here. */
export const operations: readonly Operation[] = []
