import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

const certificate = (name: string) => readFileSync(join(import.meta.dirname, 'certs', name))
const identity = (name: string): TlsOptions => ({
  cert: certificate(`${name}.pem`),
  key: certificate(`${name}.key`),
})

/** Ways in which a server may meet a client. Each echoes what it decrypts. */
const SCENARIOS = {
  rsa: identity('rsa'),
  ecdsa: identity('ecdsa'),
  expired: identity('expired'),
  clientCertificate: identity('client'),
  aes256: { ...identity('rsa'), ciphers: 'TLS_AES_256_GCM_SHA384' },
  p256: { ...identity('ecdsa'), ecdhCurve: 'P-256' },
  p384: { ...identity('rsa'), ecdhCurve: 'P-384' },
  tls12: { ...identity('rsa'), maxVersion: 'TLSv1.2' },
  wantsClient: { ...identity('rsa'), requestCert: true, rejectUnauthorized: false },
  needsClient: { ...identity('rsa'), requestCert: true, rejectUnauthorized: true },
} satisfies Record<string, TlsOptions>

export type TlsScenario = keyof typeof SCENARIOS | 'notTls' | 'silent'

export interface TlsServers {
  ports: Record<TlsScenario, number>
  /** PEM of the CA behind all of them, and of one that is behind none. */
  ca: string
  otherCa: string
}

/** Real TLS servers (Node's OpenSSL) on free loopback ports. */
export async function startTlsServers(): Promise<TlsServers & { stop(): void }> {
  const servers: Server[] = []
  const ports: Partial<Record<TlsScenario, number>> = {}
  const start = async (name: TlsScenario, server: Server) => {
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports[name] = (server.address() as AddressInfo).port
  }
  for (const [name, options] of Object.entries(SCENARIOS)) {
    const server = createTlsServer(options, (socket) => {
      socket.on('error', () => {}).pipe(socket)
    })
    await start(
      name as TlsScenario,
      server.on('tlsClientError', () => {}),
    )
  }
  await start(
    'notTls',
    createTcpServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end('-ERR what do you mean?\r\n'))
    }),
  )
  await start(
    'silent',
    createTcpServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.destroy())
    }),
  )
  return {
    ports: ports as Record<TlsScenario, number>,
    ca: certificate('ca.pem').toString(),
    otherCa: certificate('other-ca.pem').toString(),
    stop: () => {
      for (const server of servers) server.close()
    },
  }
}
