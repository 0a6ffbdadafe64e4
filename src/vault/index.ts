/** Secrets: told apart from the rest of a config, encrypted, masked on every face, scrubbed from every text. */
export { looksLikeSecret, secretIn } from './detect.ts'
export { rewriteConfig, setValues, textsOf } from './rewrite.ts'
export { createScrubber } from './scrubber.ts'
export {
  choosesSecrets,
  MASK,
  maskSecrets,
  mergeSecrets,
  missingSecrets,
  type SplitConfig,
  secretPaths,
  splitSecrets,
  updateSecrets,
} from './secrets.ts'
export { createVault, type SealedRecord, type Vault, type VaultScope } from './vault.ts'
