import { describe, expect, it } from 'vitest'
import { canonicalHost, classifyAddress } from '../../src/egress/address.ts'

describe('canonicalHost', () => {
  it.each([
    ['2130706433', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['0x7f000001', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['①②⑦.⓪.⓪.①', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['[::1]', '::1'],
    ['0:0:0:0:0:ffff:127.0.0.1', '::ffff:7f00:1'],
    ['DB.Example.com', 'db.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['my_database', 'my_database'],
  ])('reads %s as %s', (host, canonical) => {
    expect(canonicalHost(host)).toBe(canonical)
  })

  it.each(['', 'a b', 'a/b', 'user@host', 'fe80::1%eth0', '256.1.1.1', 'host:80', '[::1'])(
    'refuses %j',
    (host) => {
      expect(canonicalHost(host)).toBeUndefined()
    },
  )
})

describe('classifyAddress', () => {
  it.each([
    ...['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1'],
    ...[
      '198.18.0.1',
      '::1',
      'fc00::1',
      'fd00::8',
      '::ffff:7f00:1',
      '::ffff:a00:1',
      '64:ff9b::a00:1',
    ],
    ...['2002:a00:1::', '::7f00:1', '::ffff:0:7f00:1'],
  ])('calls %s private', (address) => {
    expect(classifyAddress(address)).toBe('private')
  })

  it.each([
    ...['0.0.0.0', '0.1.2.3', '169.254.169.254', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
    ...['224.0.0.1', '255.255.255.255', '240.0.0.1', '::', 'fe80::1', 'fec0::1', 'ff02::1'],
    ...[
      'fd00:ec2::254',
      '2001:db8::1',
      '2001::1',
      '::ffff:a9fe:a9fe',
      '64:ff9b::a9fe:a9fe',
      'junk:',
    ],
  ])('never allows %s', (address) => {
    expect(classifyAddress(address)).toBe('forbidden')
  })

  it.each([
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '169.253.1.1',
    '2606:4700::1111',
    '2002:101:101::',
  ])('calls %s public', (address) => {
    expect(classifyAddress(address)).toBe('public')
  })
})
