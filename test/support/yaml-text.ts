import type { Plugin } from 'vite'

/** Imports of YAML files give their text, as wrangler.toml says for the Worker. */
export const yamlText = (): Plugin => ({
  name: 'yaml-text',
  enforce: 'pre',
  transform: (code, id) =>
    id.endsWith('.yaml') ? { code: `export default ${JSON.stringify(code)}`, map: null } : null,
})
