/**
 * What operations ask of the setup pages, where a person enters the credentials that must not
 * travel through a chat. `src/http/setup.ts` implements it.
 */
export interface SetupRequest {
  tenantId: string
  entity: 'source' | 'destination'
  entityId: string
  /** Of the source or destination, for the page. */
  name: string
  /** Connector type. */
  connector: string
  /** Who asked; only the same person may open the page. */
  subject: string
}

export interface Setup {
  setupId: string
  /** `${publicUrl}/setup/${setupId}` */
  setupUrl: string
  /** Epoch milliseconds. */
  expiresAt: number
}

export interface SetupState extends Setup {
  entity: 'source' | 'destination'
  entityId: string
  status: 'waiting' | 'completed' | 'expired'
}

/** `createSetup(env, request)`: a new link; earlier links of the same entity stop working. */
export type CreateSetup = (env: Env, request: SetupRequest) => Promise<Setup>

/** `getSetup(env, tenantId, setupId)`: null for another tenant's or an unknown id. */
export type GetSetup = (env: Env, tenantId: string, setupId: string) => Promise<SetupState | null>
