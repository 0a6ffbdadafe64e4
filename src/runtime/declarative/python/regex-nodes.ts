import type { CodeTest } from './regex-classes.ts'

/** A pattern as a tree: what the parser makes and the matcher runs. */
export type RegexNode =
  | { type: 'code'; test: CodeTest }
  | {
      type: 'assert'
      at: 'start' | 'end' | 'lineStart' | 'lineEnd' | 'textEnd' | 'word' | 'notWord'
    }
  | { type: 'sequence'; items: RegexNode[] }
  | { type: 'either'; options: RegexNode[] }
  | { type: 'group'; index: number; of: RegexNode }
  | {
      type: 'repeat'
      of: RegexNode
      min: number
      max: number
      mode: 'greedy' | 'lazy' | 'possessive'
    }
  | { type: 'reference'; group: number; ignoreCase: boolean }
  | { type: 'look'; behind: boolean; negated: boolean; of: RegexNode }
  | { type: 'atomic'; of: RegexNode }
  | { type: 'conditional'; group: number; matched: RegexNode; otherwise: RegexNode }

export interface ParsedRegex {
  node: RegexNode
  groups: number
  names: Map<string, number>
}
