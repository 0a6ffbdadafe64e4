/** The heap of one isolate, through workerd's inspector. */
export interface Inspector {
  /** Megabytes that live objects and their buffers hold, after a full collection. */
  liveHeap(): Promise<number>
  close(): void
}

const WAKE_EVERY_MS = 20

interface HeapUsage {
  usedSize: number
  backingStorageSize?: number
}

/**
 * `wake` makes the isolate do anything at all: workerd answers a request for a collection only when
 * the isolate runs next.
 */
export async function openInspector(url: string, wake: () => Promise<unknown>): Promise<Inspector> {
  const socket = new WebSocket(url)
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error(`No inspector answers at ${url}.`)))
  })
  const pending = new Map<number, (result: unknown) => void>()
  let last = 0
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data))
    pending.get(id)?.(result ?? error)
    pending.delete(id)
  })
  const call = <T>(method: string) =>
    new Promise<T>((resolve) => {
      pending.set(++last, resolve as (result: unknown) => void)
      socket.send(JSON.stringify({ id: last, method, params: {} }))
    })
  return {
    async liveHeap() {
      const waking = setInterval(() => void wake().catch(() => {}), WAKE_EVERY_MS)
      await call('HeapProfiler.collectGarbage').finally(() => clearInterval(waking))
      const { usedSize, backingStorageSize = 0 } = await call<HeapUsage>('Runtime.getHeapUsage')
      return (usedSize + backingStorageSize) / 2 ** 20
    },
    close: () => socket.close(),
  }
}
