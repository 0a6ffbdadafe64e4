/** Statements that go to the server in one message: each by itself waits for an isolate that has other work. */
export const script = (statements: string[]): string => statements.join(';\n')

/** Of these statements: keeps a planner that expects many rows from reading the whole table. */
export const byIndex = (statements: string[]): string[] => [
  ...PLANS.map((name) => `SET LOCAL ${name} = off`),
  ...statements,
  ...PLANS.map((name) => `SET LOCAL ${name} TO DEFAULT`),
]

const PLANS = ['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan']
