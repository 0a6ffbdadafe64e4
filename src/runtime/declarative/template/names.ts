import { type Arguments, BLOCK_TEXT, type Expression, type Statement, type Target } from './ast.ts'

/** The names of one scope: which are known, and which it assigns. */
class Names {
  readonly known: Set<string>
  readonly assigned: Set<string>
  readonly parent: Names | undefined

  constructor(parent?: Names, known = new Set<string>(), assigned = new Set<string>()) {
    this.parent = parent
    this.known = known
    this.assigned = assigned
  }

  copy(): Names {
    return new Names(this.parent, new Set(this.known), new Set(this.assigned))
  }

  knows(name: string): boolean {
    return this.known.has(name) || (this.parent?.knows(name) ?? false)
  }

  assign(name: string): void {
    this.known.add(name)
    this.assigned.add(name)
  }
}

export interface TemplateNames {
  /** Names that only the context can give, with the offset of each one's first use. */
  required: Map<string, number>
  /** Names that the template assigns somewhere. */
  assigned: Set<string>
}

/**
 * Which names a template needs from its context. As in the reference, a variable that is first set
 * inside an `if` counts as needed too: whether the branch runs is not known.
 */
export function analyzeNames(
  body: Statement[],
  isGlobal: (name: string) => boolean,
): TemplateNames {
  const required = new Map<string, number>()
  const assigned = new Set<string>()
  const need = (name: string, at: number) => {
    if (!isGlobal(name) && name !== BLOCK_TEXT && !required.has(name)) required.set(name, at)
  }

  const load = (name: string, at: number, names: Names) => {
    if (names.knows(name)) return
    names.known.add(name)
    need(name, at)
  }

  const visitTarget = (target: Target, names: Names) => {
    if (target.type === 'tuple') for (const item of target.items) visitTarget(item, names)
    else if (target.type === 'namespace') load(target.name, target.at, names)
    else {
      names.assign(target.name)
      assigned.add(target.name)
    }
  }

  const read = (expression: Expression, names: Names) =>
    forEachName(expression, (name, at) => load(name, at, names))

  const visitBranches = (branches: Statement[][], at: number, names: Names) => {
    const before = new Set(names.assigned)
    const copies = branches.map((branch) => {
      const copy = names.copy()
      for (const statement of branch) visit(statement, copy)
      return copy
    })
    for (const copy of copies) {
      for (const name of copy.known) names.known.add(name)
      for (const name of copy.assigned) names.assigned.add(name)
    }
    for (const name of names.assigned)
      if (!before.has(name) && !names.parent?.knows(name)) need(name, at)
  }

  const visitAll = (statements: Statement[], names: Names) => {
    for (const statement of statements) visit(statement, names)
  }

  const visit = (statement: Statement, names: Names): void => {
    switch (statement.type) {
      case 'text':
        return
      case 'output':
        read(statement.value, names)
        return
      case 'if': {
        const [first, ...rest] = statement.branches
        if (!first) return
        read(first.test, names)
        const { at, otherwise } = statement
        const elif: Statement[] = rest.map((branch) => ({
          type: 'if',
          branches: [branch],
          otherwise: [],
          at,
        }))
        visitBranches([first.body, elif, otherwise], at, names)
        return
      }
      case 'for':
        visitFor(statement, names)
        return
      case 'set':
        read(statement.value, names)
        visitTarget(statement.target, names)
        return
      case 'setBlock':
        visitTarget(statement.target, names)
        visitAll(statement.body, new Names(names))
        if (statement.filtered) read(statement.filtered, names)
        return
      case 'filterBlock':
        read(statement.filtered, names)
        visitAll(statement.body, new Names(names))
        return
      case 'with': {
        const inner = new Names(names)
        for (const [, value] of statement.assignments) read(value, names)
        for (const [target] of statement.assignments) visitTarget(target, inner)
        visitAll(statement.body, inner)
        return
      }
    }
  }

  const visitFor = (statement: Statement & { type: 'for' }, names: Names) => {
    read(statement.of, names)
    const inner = new Names(names)
    inner.assign('loop')
    assigned.add('loop')
    visitTarget(statement.target, inner)
    if (statement.test) read(statement.test, inner)
    visitAll(statement.body, inner)
    visitAll(statement.otherwise, new Names(names))
  }

  visitAll(body, new Names())
  return { required, assigned }
}

function forEachName(
  expression: Expression | undefined,
  visit: (name: string, at: number) => void,
): void {
  if (!expression) return
  if (expression.type === 'name') visit(expression.name, expression.at)
  else for (const child of childrenOf(expression)) forEachName(child, visit)
}

function childrenOf(node: Expression): (Expression | undefined)[] {
  switch (node.type) {
    case 'list':
    case 'tuple':
    case 'concat':
      return node.items
    case 'dict':
      return node.pairs.flat()
    case 'item':
      return [node.of, node.key]
    case 'attribute':
    case 'unary':
    case 'not':
      return [node.of]
    case 'slice':
      return [node.start, node.stop, node.step]
    case 'call':
    case 'filter':
    case 'test':
      return [node.of, ...argumentsOf(node.arguments)]
    case 'binary':
    case 'and':
    case 'or':
      return [node.left, node.right]
    case 'compare':
      return [node.first, ...node.rest.map(({ right }) => right)]
    case 'condition':
      return [node.test, node.value, node.otherwise]
    default:
      return []
  }
}

const argumentsOf = (given: Arguments): (Expression | undefined)[] => [
  ...given.args,
  ...given.kwargs.map(([, value]) => value),
  given.spread,
  given.spreadKeywords,
]
