import { createHmac, timingSafeEqual } from 'node:crypto'

export type Proof = 'ok' | 'invalid' | 'stale'

const TOLERANCE_S = 300

const digest = (timestamp: string, raw: string | Uint8Array, secret: string) =>
  createHmac('sha256', secret).update(`${timestamp}.`).update(raw).digest('hex')

/** The value of `Stripe-Signature` for a body. */
export function signEvent (raw: string | Uint8Array, secret: string, now: Date): string {
  const timestamp = String(Math.floor(now.getTime() / 1_000))
  return `t=${timestamp},v1=${digest(timestamp, raw, secret)}`
}

/** Checks `Stripe-Signature` over the raw body in constant time; any of several `v1` may fit. */
export function verifyEvent (raw: string | Uint8Array, header: string, secret: string, now: Date): Proof {
  const parts = header.slice(0, 2_000).split(',').map(part => part.split('=', 2))
  const timestamp = parts.find(([name]) => name?.trim() === 't')?.[1] ?? ''
  if (!/^\d{1,12}$/.test(timestamp)) return 'invalid'
  const expected = Buffer.from(digest(timestamp, raw, secret))
  const fits = parts.filter(([name]) => name?.trim() === 'v1').some(([, value = '']) => {
    const given = Buffer.from(value)
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
  if (!fits) return 'invalid'
  return Math.abs(now.getTime() / 1_000 - Number(timestamp)) > TOLERANCE_S ? 'stale' : 'ok'
}
