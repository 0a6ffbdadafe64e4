/** Names of filters that manifests use and Jinja has under other ones. */
const FILTERS: Record<string, string> = {
  urlEncoder: 'urlencode',
  base64Encoder: 'base64encode',
  b64encode: 'base64encode',
  base64Decoder: 'base64decode',
}

const NESTED = /\{\{\s*((?:[^{}|]*\{\{[^{}]*\}\})+[^{}|]*)\|\s*(\w+)\s*\}\}/g
const CHALLENGE = /[\w.]+\s*\|\s*codeChallengeS256/g

/**
 * A template of an OAuth specification in the Jinja of the rest of a manifest: what older manifests
 * nest, `{{ {{a}}:{{b}} | base64Encoder }}`, becomes `{{ (a ~ ":" ~ b) | base64encode }}`. The challenge
 * of PKCE is a value, not a filter.
 */
export function jinjaOf(template: string): string {
  const flat = template.replace(NESTED, (_, inner: string, filter: string) => {
    const parts = inner.trim().split(/\{\{\s*([^{}]*?)\s*\}\}/)
    const terms = parts.map((part, i) => (i % 2 === 1 ? part : JSON.stringify(part)))
    return `{{ (${terms.filter((term) => term !== '""').join(' ~ ')}) | ${filter} }}`
  })
  return flat
    .replace(/\(([\w.]+)\)\s*\|\s*codeChallengeS256/g, 'code_challenge_value')
    .replace(CHALLENGE, 'code_challenge_value')
    .replace(/\|\s*(\w+)/g, (whole, name: string) =>
      Object.hasOwn(FILTERS, name) ? `| ${FILTERS[name]}` : whole,
    )
}
