import type { KeyRow } from '../../models/oauth.js'
import type { ApiKey } from '../../schemas/oauth-keys.js'

type State = ApiKey['state']

export function stateOf ({ revoked_at: revoked, expires_at: expires, enabled }: Pick<KeyRow, 'revoked_at' | 'expires_at' | 'enabled'>, now: Date): State {
  if (revoked !== null) return 'revoked'
  if (expires !== null && expires <= now) return 'expired'
  return enabled ? 'active' : 'disabled'
}

/** The filter of one state; without one, all but the revoked. */
export function compileState (state: State | undefined, now: Date): Record<string, unknown> {
  switch (state) {
    case 'revoked': return { revoked_at: { $ne: null } }
    case 'expired': return { revoked_at: null, expires_at: { $ne: null, $lte: now } }
    case 'active': case 'disabled': return { revoked_at: null, enabled: state === 'active', $or: [{ expires_at: null }, { expires_at: { $gt: now } }] }
    default: return { revoked_at: null }
  }
}

/** A row with what the API derives from it. */
export const shownKey = (row: KeyRow, now: Date) => ({
  ...row, state: stateOf(row, now), previous_until: row.previous !== null && row.previous.expires_at > now ? row.previous.expires_at : null
})
