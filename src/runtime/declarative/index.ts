/** Airbyte's low-code manifests, run as they are. */
export { loadManifest } from './manifest/load.ts'
export type { RunOptions } from './run.ts'
export { declarativeSource } from './source.ts'
export { fromAirbyteState, toAirbyteState } from './stream/state.ts'
