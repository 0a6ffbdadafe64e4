import { constants, createVerify, verify, X509Certificate } from 'node:crypto'
import { canonicalHost, isAddress } from '../address.ts'
import { SIGNATURE_SCHEMES, type SignatureScheme } from './suites.ts'

/** Longest chain that is followed. */
const MAX_CHAIN = 8
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

/** The certificates of a PEM text. Throws where there is none. */
export function parsePem(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  if (!blocks) throw new Error('the CA certificate is not in PEM form')
  return blocks.map((block) => new X509Certificate(block))
}

/**
 * Follows the chain from the server's certificate to a trusted one: signatures, validity at `now`, CA flags,
 * and that the certificate is meant for servers. Revocation, name constraints and path lengths are not looked at.
 */
export function verifyChain(chain: X509Certificate[], trusted: X509Certificate[], now: number) {
  const [leaf, ...others] = chain
  if (!leaf) throw new Error('the server sent no certificate')
  assertValid(leaf, now)
  // Node calls the extended key usages `keyUsage`.
  if (leaf.keyUsage?.length && !leaf.keyUsage.includes(SERVER_AUTH))
    throw new Error(`the certificate of '${leaf.subject}' is not meant for servers`)
  let current = leaf
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    const here = current
    if (trusted.some((anchor) => anchor.raw.equals(here.raw))) return
    const anchor = trusted.find((candidate) => issued(candidate, here))
    if (anchor) return assertValid(anchor, now)
    const next = others.find((candidate) => candidate !== here && issued(candidate, here))
    if (!next) break
    assertValid(next, now)
    others.splice(others.indexOf(next), 1)
    current = next
  }
  throw new Error(
    `the certificate was issued by '${oneLine(current.issuer)}', which the given CA does not vouch for`,
  )
}

/** As Node calls it. */
export const OTHER_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID'

/** Throws unless the certificate bears this host name or IP address. */
export function verifyName(leaf: X509Certificate, servername: string) {
  const name = canonicalHost(servername) ?? servername
  const matches = isAddress(name) ? leaf.checkIP(name) : leaf.checkHost(name)
  if (matches !== undefined) return
  const names = leaf.subjectAltName ?? oneLine(leaf.subject)
  const error = new Error(`the certificate is for ${names}, not for '${servername}'`)
  throw Object.assign(error, { code: OTHER_NAME })
}

/** RFC 8446, section 4.4.3: proof that the server holds the key of its certificate. */
export function verifyHandshakeSignature(
  leaf: X509Certificate,
  schemeId: number,
  signature: Buffer,
  transcriptHash: Buffer,
) {
  const scheme = SIGNATURE_SCHEMES.find(({ id }) => id === schemeId)
  const { publicKey } = leaf
  if (!scheme || scheme.keyType !== publicKey.asymmetricKeyType)
    throw new Error('the server signed the handshake in a way that was not offered')
  const signed = Buffer.concat([
    Buffer.alloc(64, 0x20),
    Buffer.from('TLS 1.3, server CertificateVerify\0'),
    transcriptHash,
  ])
  if (!isSignature(scheme, leaf, signed, signature))
    throw new Error('the server does not hold the key of its certificate')
}

function isSignature(
  { hash, saltLength }: SignatureScheme,
  { publicKey }: X509Certificate,
  signed: Buffer,
  signature: Buffer,
): boolean {
  if (hash === null) return verify(null, signed, publicKey, signature)
  const verifier = createVerify(hash).update(signed)
  if (saltLength === undefined) return verifier.verify(publicKey, signature)
  // As PEM and by createVerify: workerd takes no key object within options, and its verify() knows no PSS.
  const key = publicKey.export({ type: 'spki', format: 'pem' })
  return verifier.verify({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature)
}

const issued = (issuer: X509Certificate, subject: X509Certificate) =>
  issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey)

function assertValid({ subject, validFrom, validTo }: X509Certificate, now: number) {
  const name = oneLine(subject)
  if (!(now >= Date.parse(validFrom)))
    throw new Error(`the certificate of '${name}' is not valid before ${validFrom}`)
  if (!(now <= Date.parse(validTo)))
    throw new Error(`the certificate of '${name}' expired on ${validTo}`)
}

const oneLine = (name: string) => name.replaceAll('\n', ', ')
