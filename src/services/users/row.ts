import type { UserRow } from '../../models/users.js'
import { searchTerms } from '../filters/terms.js'

type Known = Pick<UserRow, '_id' | 'account_id' | 'first_name' | 'last_name' | 'role' | 'status' | 'created_at'> & Partial<UserRow>

export const emailKeyOf = (email: string | null): string | null => email?.trim().toLowerCase() ?? null
export const fullName = ({ first_name: first, last_name: last }: { first_name: string, last_name: string }): string => `${first.trim()} ${last.trim()}`
/** What `q` finds a person by; phones are compared apart, for only administrators may search by them. */
export const termsOf = ({ name, email }: { name: string, email: string | null }): string[] => searchTerms({ name, email })

/** A complete row from what is known of a new person: derived fields are made, the others are empty. */
export function newUserRow (known: Known): UserRow {
  const name = fullName(known)
  const email = known.email?.trim() ?? null
  return {
    name,
    image: null,
    job_title: null,
    phone: null,
    phone_verified_at: null,
    is_owner: known.role === 'owner',
    scopes: null,
    invite: null,
    password_changed_at: null,
    mfa: { totp_enabled: false, totp_secret: null, last_step: null, recovery_hashes: [], enabled_at: null },
    preferences: null,
    availability: null,
    sso: true,
    time_zone: null,
    locale: null,
    announcements_read: [],
    last_seen_at: null,
    last_login_at: null,
    deactivated_at: null,
    deleted_at: null,
    created_by: null,
    updated_at: known.created_at,
    password_hash: null,
    reset_token_hash: null,
    tokens_valid_from: null,
    dashclicks: null,
    ...known,
    email,
    email_key: emailKeyOf(email),
    search_terms: termsOf({ name, email })
  }
}
