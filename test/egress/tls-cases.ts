import type { TlsOptions } from '../../src/runtime/contract.ts'
import type { TlsScenario } from '../support/tls-server.ts'

interface Case {
  server: TlsScenario
  verify: TlsOptions['verify']
  servername?: string
  ca?: 'own' | 'other' | 'junk' | 'none'
  /** Part of the message of TLS_FAILED; absent: it works. */
  fails?: RegExp
  /** Part of its hint. */
  hint?: RegExp
}

const OTHER_NAME = /Name the host as its certificate does/

/** What private-CA TLS must accept and refuse, whoever does it. */
export const TLS_CASES: readonly Case[] = [
  { server: 'rsa', verify: 'full' },
  { server: 'rsa', verify: 'full', servername: '127.0.0.1' },
  { server: 'ecdsa', verify: 'full', servername: 'db.test' },
  { server: 'aes256', verify: 'full' },
  { server: 'p256', verify: 'full' },
  { server: 'p384', verify: 'full' },
  { server: 'wantsClient', verify: 'full' },
  { server: 'rsa', verify: 'ca', servername: 'elsewhere.test' },
  { server: 'rsa', verify: 'none', ca: 'none', servername: 'elsewhere.test' },
  { server: 'expired', verify: 'none', ca: 'none' },
  {
    server: 'rsa',
    verify: 'full',
    servername: 'elsewhere.test',
    fails: /for|altnames/i,
    hint: OTHER_NAME,
  },
  {
    server: 'rsa',
    verify: 'full',
    servername: '127.0.0.2',
    fails: /for|altnames/i,
    hint: OTHER_NAME,
  },
  { server: 'rsa', verify: 'full', ca: 'other', fails: /vouch|unable to/ },
  { server: 'ecdsa', verify: 'ca', ca: 'other', fails: /vouch|unable to/ },
  { server: 'expired', verify: 'full', fails: /expired/ },
  { server: 'expired', verify: 'ca', fails: /expired/ },
  { server: 'clientCertificate', verify: 'full', fails: /not meant for servers|purpose/ },
  { server: 'notTls', verify: 'full', fails: /TLS|version/i },
  { server: 'silent', verify: 'none', ca: 'none', fails: /closed|disconnected|reset/i },
]
