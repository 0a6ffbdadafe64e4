/** Runs the steps an object has not seen yet, in one transaction, and remembers how far it came. */
export function migrate(storage: DurableObjectStorage, steps: readonly string[]): void {
  const done = storage.kv.get<number>('schema') ?? 0
  if (done >= steps.length) return
  storage.transactionSync(() => {
    for (const step of steps.slice(done)) storage.sql.exec(step)
    storage.kv.put('schema', steps.length)
  })
}
