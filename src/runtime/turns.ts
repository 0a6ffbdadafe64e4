/** Until whatever else is ready to run has had its turn. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** How long a log is read before whatever else waits has its turn. */
const TURN_MS = 2

/**
 * To be awaited between reads of a log. While its next bytes are there already and what was read is being
 * kept, workerd always has something to go on with, and hardly looks at the other sockets of the
 * isolate: whoever loads in the same process what was read waited until all of the log was.
 */
export function takeTurns(now: () => number): () => Promise<void> {
  let since = now()
  return async () => {
    if (now() - since < TURN_MS) return
    await turn()
    since = now()
  }
}
