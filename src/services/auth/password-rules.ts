import type { FieldError } from '../kit.js'
import { isCommonPassword } from './common-passwords.js'
import { AuthError } from './errors.js'
import type { Passwords } from './passwords.js'

type Identity = { email?: string | null, name?: string | null, first_name?: string | null, last_name?: string | null }

const TEXTS = {
  too_short: 'has fewer than 8 characters',
  too_long: 'has more than 128 characters',
  common: 'is one of the most used passwords',
  contains_identity: 'contains your name or mail address',
  same_as_old: 'is the present one'
} as const
export type PasswordFault = keyof typeof TEXTS

const problem = (code: PasswordFault): FieldError => ({ path: 'body.password', message: TEXTS[code], code })

/** A name of two letters stands in too many words to say anything. */
function containsIdentity (password: string, { email, name, first_name: first, last_name: last }: Identity): boolean {
  const text = password.toLowerCase()
  const local = email?.split('@')[0]
  return [email, local, name, first, last].some(part => typeof part === 'string' && part.trim().length >= 4 && text.includes(part.trim().toLowerCase()))
}

/** Length, the list of common ones, and not the person: no composition rules. */
export function passwordFaults (password: string, identity: Identity): PasswordFault[] {
  const length = [...password].length
  const faults: PasswordFault[] = []
  if (length < 8) faults.push('too_short')
  if (length > 128) faults.push('too_long')
  if (isCommonPassword(password)) faults.push('common')
  if (containsIdentity(password, identity)) faults.push('contains_identity')
  return faults
}

/** @throws PASSWORD_WEAK with one entry per broken rule in `data.errors` */
export async function checkPassword (password: string, identity: Identity, old?: { hash: string | null, passwords: Passwords }): Promise<void> {
  const faults = passwordFaults(password, identity)
  if (faults.length === 0 && typeof old?.hash === 'string' && await old.passwords.verify(old.hash, password)) faults.push('same_as_old')
  if (faults.length > 0) throw AuthError.PASSWORD_WEAK().with({ errors: faults.map(problem) })
}
