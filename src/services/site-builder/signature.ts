import { createHmac, timingSafeEqual } from 'node:crypto'

const TOLERANCE_S = 300

/** HMAC-SHA256 over `timestamp.body`, base64. */
export const signHook = (raw: string | Uint8Array, timestamp: string, secret: string): string =>
  createHmac('sha256', secret).update(`${timestamp}.`).update(raw).digest('base64')

/** In constant time. @param timestamp seconds as text */
export function verifyHook (raw: string | Uint8Array, signature: string, timestamp: string, secret: string, now: Date): 'ok' | 'invalid' | 'stale' {
  if (!/^\d{1,12}$/.test(timestamp)) return 'invalid'
  const expected = Buffer.from(signHook(raw, timestamp, secret))
  const given = Buffer.from(signature)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'invalid'
  return Math.abs(now.getTime() / 1_000 - Number(timestamp)) > TOLERANCE_S ? 'stale' : 'ok'
}
