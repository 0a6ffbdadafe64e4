import { handleRequest } from './http/router.ts'

export { TenantAgent } from './agent/TenantAgent.ts'
export { IdentityDO } from './identity/IdentityDO.ts'
export { OAuthStoreDO } from './identity/OAuthStoreDO.ts'

export default {
  fetch: handleRequest,
} satisfies ExportedHandler<Env>
