import { SignJWT } from 'jose'
import type { Clock } from './kit.js'

const LIFE_S = 300

export type SocketCaller = { accountId?: string, userId?: string, /** constant over repeats, so that the receiver can drop them */ ref?: string }

/**
 * Headers of a call to one of the sockets: a token of five minutes, signed with APP_SECRET, and the account.
 * Its `typ` keeps it from opening any other door.
 */
export async function socketHeaders (caller: SocketCaller, secret: string, clock: Clock): Promise<Record<string, string>> {
  const now = Math.floor(clock.now().getTime() / 1_000)
  const claims = { typ: 'socket', ...(caller.accountId === undefined ? {} : { accountId: caller.accountId }), ...(caller.userId === undefined ? {} : { userId: caller.userId }) }
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt(now)
    .setExpirationTime(now + LIFE_S)
    .sign(new TextEncoder().encode(secret))
  return {
    authorization: `Bearer ${token}`,
    ...(caller.accountId === undefined ? {} : { 'x-account-id': caller.accountId }),
    ...(caller.ref === undefined ? {} : { 'idempotency-key': caller.ref })
  }
}
