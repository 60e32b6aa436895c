import type { ClientSession } from 'mongoose'
import type { AccountModel } from '../../models/accounts.js'
import type { OutgoingMail } from '../mail/index.js'
import type { Platform } from '../platform.js'

type Letter = { to: string, accountId: string, subject: string, lines: readonly string[], dedupeId: string, requestId?: string }

/** Letters to people go out in the name of their agency, through the outbox of the change that they tell of. */
export function createPost ({ outbox }: Pick<Platform, 'outbox'>, accounts: AccountModel) {
  async function brandOf (accountId: string): Promise<string> {
    const account = await accounts.findById(accountId, { name: 1, parent_account: 1 }).lean()
    if (account === null || account.parent_account === null) return account?.name ?? ''
    return (await accounts.findById(account.parent_account, { name: 1 }).lean())?.name ?? account.name
  }

  async function letter ({ to, accountId, subject, lines, dedupeId, requestId }: Letter, session: ClientSession): Promise<void> {
    const brand = await brandOf(accountId)
    const mail: Omit<OutgoingMail, 'from'> & { subject: string } = {
      account: accountId, to: [{ email: to }], subject: brand === '' ? subject : `${subject} - ${brand}`, text: [...lines, '', brand].join('\n'), ref: dedupeId
    }
    await outbox.add([{ topic: 'mail', key: accountId, dedupeId, accountId, requestId: requestId ?? null, payload: mail }], session)
  }

  async function text (to: string, body: string, accountId: string | null, dedupeId: string, session: ClientSession): Promise<void> {
    await outbox.add([{ topic: 'sms', key: to, dedupeId, accountId, payload: { ...(accountId !== null && { account: accountId }), to, body, ref: dedupeId } }], session)
  }
  return { letter, text, brandOf }
}
export type Post = ReturnType<typeof createPost>
