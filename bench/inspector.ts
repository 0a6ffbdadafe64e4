/** The heap of one isolate, through workerd's inspector. */
export interface Inspector {
  /** Megabytes that live objects and their buffers hold, after a full collection. */
  liveHeap(): Promise<number>
  close(): void
}

interface HeapUsage {
  usedSize: number
  backingStorageSize?: number
  embedderHeapUsedSize?: number
}

export async function openInspector(url: string): Promise<Inspector> {
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
      await call('HeapProfiler.collectGarbage')
      const { usedSize, backingStorageSize = 0 } = await call<HeapUsage>('Runtime.getHeapUsage')
      return (usedSize + backingStorageSize) / 2 ** 20
    },
    close: () => socket.close(),
  }
}
