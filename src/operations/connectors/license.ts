import { AirbyteError } from '../../protocol/index.ts'

/** Licences under which anybody may run, change and offer a connector; `own` is one's own work. */
const FREE = ['MIT', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', '0BSD', 'own']

/** Other names of the same, without their signs and in small letters. */
const SPELLINGS: Record<string, string> = {
  ...Object.fromEntries(FREE.map((license) => [bare(license), license])),
  ...{ mitlicense: 'MIT', themitlicense: 'MIT' },
  ...{ apache2: 'Apache-2.0', apachelicense20: 'Apache-2.0', apachelicense2: 'Apache-2.0' },
  ...{ elv2: 'ELv2', elastic2: 'ELv2', elastic20: 'ELv2', elasticlicense2: 'ELv2' },
  ...{ elasticlicense20: 'ELv2', elasticlicensev2: 'ELv2', elasticlicensev20: 'ELv2' },
}

/** One name for each licence, however it is spelt: `Elv2`, `Elastic License 2.0` → `ELv2`. */
export function licenseName(text: string): string {
  const name = text.trim()
  return SPELLINGS[bare(name)] ?? (name === '' ? 'unknown' : name.slice(0, 100))
}

export interface LicenseDecision {
  license: string
  /** Of what, for the message. */
  connector: string
  /** `ALLOWED_CONNECTOR_LICENSES`: names with commas between them. */
  allowed: string | undefined
  /** What the caller accepted by name. */
  accepted: string | undefined
}

/**
 * Lets a free licence pass, and another one that both the operator and the caller accept.
 *
 * @throws LICENSE_REFUSED, CONFIRMATION_REQUIRED
 */
export function checkLicense({ license, connector, allowed, accepted }: LicenseDecision): void {
  if (FREE.includes(license)) return
  const names = (allowed ?? '').split(',').filter((name) => name.trim() !== '')
  const listed = names.map(licenseName)
  if (!listed.includes(license)) {
    const what =
      license === 'unknown' ? 'names no licence' : `is under the licence ${quoted(license)}`
    const message = `${connector} ${what}, which this installation does not allow.`
    throw new AirbyteError('LICENSE_REFUSED', message, { hint: hintFor(license) })
  }
  if (accepted !== undefined && licenseName(accepted) === license) return
  throw new AirbyteError('CONFIRMATION_REQUIRED', `${connector}: licence ${quoted(license)}.`, {
    field: 'acceptLicense',
    hint: `If the person accepts its terms, call again with acceptLicense: ${quoted(license)}.`,
  })
}

const quoted = (license: string) => JSON.stringify(license)

function hintFor(license: string): string {
  const operator = `Whoever runs this installation can add ${quoted(license)} to ALLOWED_CONNECTOR_LICENSES in wrangler.toml`
  if (license === 'unknown') {
    return `For a manifest without metadata say it in license, for example "MIT", or "own" for your own work. ${operator}.`
  }
  return license === 'ELv2'
    ? `${operator}. ELv2 forbids offering the software to others as a managed service.`
    : `${operator} after reading it.`
}

function bare(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}
