import { createServer } from 'node:net'

/** A TCP port that nobody listens on. Another process may take it before you do. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        typeof address === 'object' && address
          ? resolve(address.port)
          : reject(new Error('The system gave no free port.')),
      )
    })
  })
}

/** True when something already accepts connections or holds the port on loopback. */
export function portTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(true))
    probe.listen(port, 'localhost', () => probe.close(() => resolve(false)))
  })
}
