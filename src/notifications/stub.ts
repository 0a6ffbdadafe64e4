import type { NotificationDO } from './NotificationDO.ts'

/** The webhooks of a workspace. */
export const notificationStub = (env: Env, tenantId: string): DurableObjectStub<NotificationDO> =>
  env.NOTIFICATION.getByName(tenantId)
