/** Airbyte's low-code manifests, run as they are. */
export { manifestSource } from './manifest-source.ts'
export { readMetadata } from './metadata.ts'
export { declarativeSource } from './source.ts'
export { fromAirbyteState, toAirbyteState } from './stream/state.ts'
