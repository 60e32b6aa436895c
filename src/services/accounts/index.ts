import type { AccountModel } from '../../models/accounts.js'
import { createBulkInvite } from './bulk-invite.js'
import { createChanging } from './changing.js'
import { createCore, oid, type AccountDeps, type SetupAccount } from './core.js'
import { createInvites } from './invites.js'
import { createListing } from './listing.js'
import { createPublicRequests } from './public.js'
import { createSignup } from './signup.js'

export { AccountError } from './errors.js'
export { businessOnAccount, type BusinessContacts } from './business.js'
export { createPlans, planOf, type Plans } from './plans.js'
export type { AccountWork, SetupAccount } from './core.js'
export { newAccountRow } from './row.js'

/** Agencies and their clients. */
export function createAccountsService (deps: AccountDeps) {
  const { platform } = deps
  const core = createCore(deps)
  const setups: SetupAccount[] = []
  const changing = createChanging(deps, core)
  const invites = createInvites(deps, core)

  // Each module's part of a new account; they are idempotent, so a run that broke begins again.
  platform.source('account-setup', {
    label: 'Setting an account up',
    cancellable: false,
    retryable: true,
    run: async ({ row }) => {
      for (const setup of setups) await platform.transactions.run(session => setup({ account_id: row.account_id }, session))
    }
  }, 'QM_ACCOUNTS')

  return {
    core,
    plans: deps.plans,
    invites,
    listing: createListing(deps, core),
    changing,
    signup: createSignup(deps, core),
    requests: createPublicRequests(deps, core, invites),
    bulkInvite: createBulkInvite(platform, invites, deps.plans),
    /** Adds a module's `setupAccount`. */
    onSetup (setup: SetupAccount): void { setups.push(setup) },
    syncFromContact: changing.syncFromContact,
    inviteAccepted: invites.accepted
  }
}
export type AccountsService = ReturnType<typeof createAccountsService>

/** What the selling modules would know, as far as the account itself tells it. */
export const workOnAccount = (accounts: AccountModel): AccountDeps['work'] => ({
  async runningSubscriptions () { return [] },
  async touched (accountId) { return await accounts.exists({ _id: oid(accountId.toHexString()), has_orders: true }) !== null }
})
