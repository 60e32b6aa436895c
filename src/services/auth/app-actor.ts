import { KEY_SCOPES, heldOpens } from '../../schemas/scopes.js'
import type { Actor } from '../kit.js'

/** The person behind a token that an app holds, cut to what apps may hold (column K): never staff, never an administrator. */
export function asApp (actor: Actor, clientId: string): Actor {
  return {
    ...actor,
    type: 'app',
    clientId,
    permissions: new Set([...actor.permissions].filter(name => name === 'read' || name === 'write')),
    can: (needed, method) => heldOpens(KEY_SCOPES, needed, method) && actor.can(needed, method)
  }
}
