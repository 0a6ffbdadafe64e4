import { Buffer } from 'node:buffer'
import { expect, it } from 'vitest'
import { sealedPassword } from '../../../src/runtime/mysql/authentication.ts'

it('seals a password as MySQL opens it: OAEP with SHA-1, whatever the runtime takes by itself', async () => {
  const pair = (await crypto.subtle.generateKey(
    {
      ...{ name: 'RSA-OAEP', hash: 'SHA-1', modulusLength: 2048 },
      publicExponent: new Uint8Array([1, 0, 1]),
    },
    true,
    ['encrypt', 'decrypt'],
  )) as CryptoKeyPair
  const spki = (await crypto.subtle.exportKey('spki', pair.publicKey)) as ArrayBuffer
  const lines =
    Buffer.from(spki)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  const pem = ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n')
  const nonce = Buffer.from('twenty bytes of salt')
  const sealed = new Uint8Array(sealedPassword('pässword', nonce, pem))
  const opened = await crypto.subtle.decrypt('RSA-OAEP', pair.privateKey, sealed)
  const hidden = Buffer.from(opened)
  const text = hidden.map((byte, i) => byte ^ (nonce[i % nonce.length] as number))
  expect(Buffer.from(text).toString()).toBe('pässword\0')
})
