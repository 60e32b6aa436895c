import type { ClientSession } from 'mongoose'
import type { AccountRow, UserRow } from './types.js'

export type Bell = { type: string, account_id: string, users: string[], title: string, body: string, event_id: string }
export type Announcement = { id: string, title: string, body: string | null, published_at: string }

/**
 * What this module asks of others. A part that nobody has provided is not there: the status answer names it in `degraded`,
 * bells are not rung, the client dashboard is off.
 */
export type Parts = {
  clientDashboard? (accountId: string): Promise<boolean>
  /** the account behind a host, by label or verified custom host */
  accountOfHost? (host: string): Promise<string | null>
  /** scheme and host of an account's dashboard */
  baseUrl? (accountId: string): Promise<string | null>
  notify? (bell: Bell, session: ClientSession): Promise<void>
  /** a person accepted an invitation by setting a password; makes user and account active in the module that owns them */
  inviteAccepted? (accepted: { user: UserRow, account: AccountRow }, session: ClientSession): Promise<void>
  plan? (account: AccountRow): Promise<{ tier: string, status: string, trial_ends_at: Date | null, renews_at: Date | null, past_due: boolean }>
  loyaltyTier? (accountId: string): Promise<string | null>
  stripe? (accountId: string): Promise<{ customer: string | null, connected: boolean, payments_enabled: boolean }>
  twilio? (accountId: string): Promise<{ connected: boolean, numbers: string[] }>
  announcements? (user: UserRow): Promise<Announcement[]>
  lowBalance? (accountId: string): Promise<boolean>
}
