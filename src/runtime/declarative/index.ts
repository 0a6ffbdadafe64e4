/** Airbyte's low-code manifests, run as they are. */
export { declarativeSource } from './source.ts'
export { fromAirbyteState, toAirbyteState } from './stream/state.ts'
