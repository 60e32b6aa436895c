import type { ClientSession, Types } from 'mongoose'
import type { AccountModel } from '../../models/accounts.js'
import { fold } from '../filters/terms.js'
import { AccountError } from './errors.js'

const LABEL = /^[a-z0-9](?:[a-z0-9-]{1,38})[a-z0-9]$/

/** @throws LABEL_RESERVED for a reserved word or another shape */
export function checkLabel (label: string, reserved: ReadonlySet<string>): string {
  const folded = label.toLowerCase()
  if (!LABEL.test(folded) || reserved.has(folded) || folded.startsWith('xn--')) throw AccountError.LABEL_RESERVED()
  return folded
}

const fromName = (name: string): string => {
  const made = fold(name).replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 32).replace(/-+$/, '')
  return made.length >= 3 ? made : `agency-${made}`.replace(/-+$/, '')
}

/** Is the label in use, or does it still lead to another account? */
export async function labelTaken (accounts: AccountModel, label: string, now: Date, except?: Types.ObjectId, session?: ClientSession): Promise<boolean> {
  const other = except === undefined ? {} : { _id: { $ne: except } }
  return await accounts.exists({
    ...other, $or: [{ 'domain.dashclicks': label }, { old_labels: { $elemMatch: { label, until: { $gt: now } } } }]
  } as never).session(session ?? null) !== null
}

/** A label made from the name, with a suffix while it is taken. */
export async function freeLabel (accounts: AccountModel, name: string, reserved: ReadonlySet<string>, now: Date, suffix: () => string, session?: ClientSession): Promise<string> {
  const base = fromName(name)
  for (let attempt = 0; ; attempt++) {
    const label = attempt === 0 ? base : `${base.slice(0, 33)}-${suffix()}`
    if (!reserved.has(label) && (attempt > 8 || !await labelTaken(accounts, label, now, undefined, session))) return label
  }
}
