import { describe, expect, it } from 'vitest'
import { createVault, type SealedRecord } from '../../src/vault/index.ts'

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')
const V1 = `v1:${key(1)}`
const V2 = `v2:${key(2)}`
const scope = { tenantId: 'tenant-1', entity: 'source:s1' }
const secrets = { '/password': 'hunter2 ✓', '/nested': { deep: ['x'] } }
const vaultOf = (keys: string) => createVault({ keys, localMode: false })

describe('createVault', () => {
  it('opens what it sealed, through JSON', async () => {
    const sealed = await vaultOf(V1).seal(scope, secrets)
    const stored = JSON.parse(JSON.stringify(sealed)) as SealedRecord
    expect(await vaultOf(V1).open(scope, stored)).toEqual(secrets)
    expect(JSON.stringify(sealed)).not.toContain('hunter2')
  })

  it('never seals the same thing to the same bytes', async () => {
    const [a, b] = await Promise.all([
      vaultOf(V1).seal(scope, secrets),
      vaultOf(V1).seal(scope, secrets),
    ])
    expect(a.ciphertext).not.toBe(b.ciphertext)
    expect(a.wrappedKey).not.toBe(b.wrappedKey)
  })

  it.each([
    ['another tenant', { tenantId: 'tenant-2', entity: scope.entity }, {}],
    ['another entity', { tenantId: scope.tenantId, entity: 'source:s2' }, {}],
    ['other field names', scope, { fields: ['/username'] }],
    ['a changed ciphertext', scope, { ciphertext: `AAAA${'A'.repeat(60)}` }],
    ['a cut ciphertext', scope, { ciphertext: 'AA==' }],
  ])('does not open under %s', async (_, other, change) => {
    const sealed = await vaultOf(V1).seal(scope, secrets)
    await expect(vaultOf(V1).open(other, { ...sealed, ...change })).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
      message: "A stored secret does not decrypt with key version 'v1'.",
    })
  })

  it('names the version of a key that is gone or wrong', async () => {
    const sealed = await vaultOf(V1).seal(scope, secrets)
    for (const keys of [V2, `v1:${key(9)}`])
      await expect(vaultOf(keys).open(scope, sealed)).rejects.toThrow("key version 'v1'")
  })

  it('rotates: old records open beside the new key, and after rewrapping without the old one', async () => {
    const old = await vaultOf(V1).seal(scope, secrets)
    const both = vaultOf(`${V2},${V1}`)
    expect(both.keyVersion).toBe('v2')
    expect(await both.open(scope, old)).toEqual(secrets)
    const moved = await both.rewrap(scope, old)
    expect(moved).toMatchObject({ key: 'v2', ciphertext: old.ciphertext })
    expect(await vaultOf(V2).open(scope, moved)).toEqual(secrets)
  })

  it('does not rewrap for another tenant', async () => {
    const sealed = await vaultOf(V1).seal(scope, secrets)
    const other = { ...scope, tenantId: 'tenant-2' }
    await expect(vaultOf(V1).rewrap(other, sealed)).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
    })
  })
})

describe('keys', () => {
  it.each([undefined, '', ' , '])('refuses to start without one (%j)', (keys) => {
    expect(() => createVault({ keys, localMode: false })).toThrow(
      expect.objectContaining({ code: 'KEY_MISSING' }),
    )
  })

  it.each(['v1:short', 'nothing', `v1:${key(1)},v1:${key(2)}`, `v1:${key(1)}=`])(
    'refuses %s without showing it',
    (keys) => {
      const attempt = () => createVault({ keys, localMode: true })
      expect(attempt).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }))
      expect(attempt).not.toThrow(key(1))
    },
  )

  it('has one of its own in local mode, which opens again after keys are configured', async () => {
    const local = createVault({ keys: undefined, localMode: true })
    const sealed = await local.seal(scope, secrets)
    const later = createVault({ keys: V1, localMode: true })
    expect(later.keyVersion).toBe('v1')
    expect(await later.open(scope, sealed)).toEqual(secrets)
    await expect(vaultOf(V1).open(scope, sealed)).rejects.toThrow("key version 'local'")
  })
})
