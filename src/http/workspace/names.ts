/** Streams and modes as people read them. */
export const streamText = ({ name, namespace }: { name: string; namespace?: string }) =>
  namespace === undefined ? name : `${namespace}.${name}`

const MODES: Record<string, string> = {
  full_refresh: 'Full refresh',
  incremental: 'Incremental',
  append: 'Append',
  append_dedup: 'Append + dedup',
  overwrite: 'Overwrite',
  overwrite_dedup: 'Overwrite + dedup',
}
export const modeText = (mode: string) => MODES[mode] ?? mode
