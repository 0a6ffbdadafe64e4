import type { NotificationDO } from './NotificationDO.ts'

/** The webhooks of a workspace. */
export const notificationStub = (env: Env, tenantId: string): DurableObjectStub<NotificationDO> =>
  (env as Env & Notifications).NOTIFICATION.getByName(tenantId)

/** A binding that types of the environment may lack that were generated before it. */
interface Notifications {
  NOTIFICATION: DurableObjectNamespace<NotificationDO>
}
