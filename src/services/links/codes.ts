import { randomInt } from 'node:crypto'
import { LinkError } from './errors.js'

/** 56 characters, without those that look alike: 0 O o 1 l I. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const LENGTH = 7
const GRAMMAR = /^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$/

/** Words that can never be a code: every mount and root route, and what people would take for the platform's own (modules/_platform.md 2). */
const RESERVED_WORDS = `
accounts users auth oauth crm activities forms inbound filters billing store onebalance affiliates agencywebsites instasites instareports templates funnels
conversations conv notifications projects reputation url webhooks corsproxy shared public mobile-app admin features health
v1 v3 api status healthz ready documentation docs openapi swagger graphql login logout signup www robots favicon sitemap well-known
report qr preview index null undefined
`.trim().split(/\s+/)

export const reservedCodes = (extra: string): ReadonlySet<string> =>
  new Set([...RESERVED_WORDS, ...extra.split(',').map(word => word.trim().toLowerCase()).filter(word => word !== '')])

/** What the redirect looks up at all; anything else under the root is a 404 without a read. */
export function isLookable (code: string): boolean {
  if (code.length < 1 || code.length > 64) return false
  for (let i = 0; i < code.length; i++) {
    const c = code.charCodeAt(i)
    if (!((c >= 97 && c <= 122) || (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || c === 45 || c === 95)) return false
  }
  return true
}

/** @throws INVALID_CODE, CODE_RESERVED */
export function checkCode (code: string, reserved: ReadonlySet<string>): void {
  if (!GRAMMAR.test(code)) throw LinkError.INVALID_CODE()
  if (reserved.has(code.toLowerCase())) throw LinkError.CODE_RESERVED()
}

/** A random code; after five collisions one character longer, and so on. */
export function generateCode (attempt: number): string {
  const length = LENGTH + Math.floor(attempt / 5)
  return Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('')
}

/** Codes are compared without regard to case on the platform's domain. */
export const codeKey = (code: string): string => code.toLowerCase()
