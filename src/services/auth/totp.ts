import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const STEP_MS = 30_000

export function base32 (bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return bits.match(/.{1,5}/g)!.map(five => ALPHABET[parseInt(five.padEnd(5, '0'), 2)]).join('')
}

export function fromBase32 (text: string): Buffer {
  const bits = [...text.replace(/=+$/, '').toUpperCase()].map(sign => ALPHABET.indexOf(sign).toString(2).padStart(5, '0')).join('')
  return Buffer.from(bits.match(/.{8}/g)!.map(byte => parseInt(byte, 2)))
}

export const newTotpSecret = (): string => base32(randomBytes(20))

/** RFC 6238 with SHA-1, six digits, 30 s. */
export function totpCode (secret: string, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', fromBase32(secret)).update(counter).digest()
  const at = mac[19]! & 15
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

export const stepAt = (now: Date): number => Math.floor(now.getTime() / STEP_MS)

/** The step whose code this is, one either side allowed; null when none, or when that step or a later one was used. */
export function matchTotp (secret: string, code: string, now: Date, lastStep: number | null): number | null {
  if (!/^\d{6}$/.test(code)) return null
  const present = stepAt(now)
  for (const step of [present, present - 1, present + 1]) {
    if (timingSafeEqual(Buffer.from(totpCode(secret, step)), Buffer.from(code))) return lastStep !== null && step <= lastStep ? null : step
  }
  return null
}
