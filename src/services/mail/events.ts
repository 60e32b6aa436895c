import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import type { Proof } from './types.js'

const TOLERANCE_S = 300

const signed = (timestamp: string, raw: string | Uint8Array) => Buffer.concat([Buffer.from(timestamp), Buffer.from(raw)])

/** Reads the public key as the provider's console shows it: base64 of the DER form. */
export const readPublicKey = (base64: string): KeyObject => createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' })

/** ECDSA signature over timestamp and raw body, base64. */
export const signEvents = (raw: string | Uint8Array, timestamp: string, key: KeyObject): string => sign('sha256', signed(timestamp, raw), key).toString('base64')

/** @param timestamp seconds as text, as it was sent */
export function verifyEvents (raw: string | Uint8Array, signature: string, timestamp: string, key: KeyObject, now: Date): Proof {
  if (!/^\d{1,12}$/.test(timestamp)) return 'invalid'
  if (!verify('sha256', signed(timestamp, raw), key, Buffer.from(signature, 'base64'))) return 'invalid'
  return Math.abs(now.getTime() / 1_000 - Number(timestamp)) > TOLERANCE_S ? 'stale' : 'ok'
}
