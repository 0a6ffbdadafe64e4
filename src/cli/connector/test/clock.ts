/** Runs something while this process's clock stands still, for templates that ask what time it is. */
export async function atMoment<T>(now: number, run: () => Promise<T>): Promise<T> {
  const real = Date.now
  Date.now = () => now
  try {
    return await run()
  } finally {
    Date.now = real
  }
}
