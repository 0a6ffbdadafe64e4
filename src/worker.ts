import { handleQueue } from './durable-object/queue.ts'
import { handleRequest } from './http/router.ts'

export { TenantAgent } from './agent/TenantAgent.ts'
export { ConnectionDO } from './durable-object/ConnectionDO.ts'
export { DestinationDO } from './durable-object/DestinationDO.ts'
export { LogReaderDO } from './durable-object/LogReaderDO.ts'
export { SourceDO } from './durable-object/SourceDO.ts'
export { SyncDO } from './durable-object/SyncDO.ts'
export { IdentityDO } from './identity/IdentityDO.ts'
export { OAuthStoreDO } from './identity/OAuthStoreDO.ts'
export { McpSession } from './mcp/McpSession.ts'
export { NotificationDO } from './notifications/NotificationDO.ts'

export default {
  fetch: handleRequest,
  queue: (batch, env) => handleQueue(batch, env),
} satisfies ExportedHandler<Env>
