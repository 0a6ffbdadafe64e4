/** Airbyte's low-code manifests, run as they are. */
export { type BreakingChange, changesBetween, compareVersions } from './breaking-changes.ts'
export { unzipEntries } from './decoders/zip.ts'
export { type InspectedStream, inspectManifest, type ManifestReport } from './inspect.ts'
export { manifestSource } from './manifest-source.ts'
export { readForeignMetadata, readMetadata } from './metadata.ts'
export { declarativeSource } from './source.ts'
export { fromAirbyteState, toAirbyteState } from './stream/state.ts'
