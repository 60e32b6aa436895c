import { AuthError } from '../auth/errors.js'
import type { Actor } from '../kit.js'

export type Guard = {
  /** @throws STEP_UP_REQUIRED unless the header proves a fresh password, or the session was opened by one minutes ago */
  stepUp (actor: Actor, header: string | undefined): Promise<void> | void
}

/** @throws IMPERSONATION_FORBIDDEN: nobody makes keys or apps in another's name */
export function guardAct (actor: Actor): void {
  if (actor.impersonatorId !== undefined) throw AuthError.IMPERSONATION_FORBIDDEN()
}
