/** A YAML file as its text: wrangler.toml, vitest and src/cli/bin.mjs each say so to their loader. */
declare module '*.yaml' {
  const text: string

  export { text as default }
}
