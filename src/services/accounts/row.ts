import type { AccountRow } from '../../models/accounts.js'
import { searchTerms } from '../filters/terms.js'

type Known = Pick<AccountRow, '_id' | 'parent_account' | 'name' | 'status' | 'created_at'> & Partial<AccountRow>
type Searched = Pick<AccountRow, 'name' | 'email' | 'phone' | 'website' | 'address' | 'owner'>

/** What `q` finds an account by: bare words only, for the search names no fields. */
export function searchKeysOf ({ name, email, phone, website, address, owner }: Searched): string[] {
  return searchTerms({ name, email, phone, website, city: address?.city, owner: owner?.name, mail: owner?.email }).filter(term => !/^[a-z]+[:=]/.test(term))
}

/** A complete row from what is known of a new account. */
export function newAccountRow (known: Known): AccountRow {
  const row = {
    main: known.parent_account === null,
    status_reason: null,
    archived_at: null,
    archived_by: null,
    email: null,
    phone: null,
    address: null,
    social: null,
    website: null,
    image: null,
    business: null,
    owner: null,
    manager: null,
    domain: null,
    branding: null,
    settings: null,
    plan: 'free' as const,
    plan_trial_ends_at: null,
    account_pricing_type: 'pro' as const,
    stripe_customer: null,
    stripe_connected_account: null,
    payments_enabled: false,
    affiliate: null,
    referred_by: null,
    has_orders: false,
    became_customer_on: null,
    currency: 'USD',
    time_zone: 'UTC',
    locale: 'en-US',
    invite: null,
    updated_at: known.created_at,
    banned: false,
    old_labels: [],
    plan_source: null,
    state_before: null,
    ...known
  }
  return { ...row, search_keys: searchKeysOf(row) }
}
