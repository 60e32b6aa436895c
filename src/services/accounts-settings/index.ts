import type { AccountModel, AccountRow } from '../../models/accounts.js'
import type { UserModel } from '../../models/users.js'
import type { BrandingChange, SettingsChange } from '../../schemas/accounts-settings.js'
import type { AccountsService } from '../accounts/index.js'
import { catalogue, type Actor } from '../kit.js'
import type { Platform } from '../platform.js'

export const SettingsError = catalogue('accounts-settings', {
  SETTING_LOCKED: { status: 403, text: (path: string) => `${path} is locked by the main account.` },
  INVALID_COLOR: { status: 422, text: (path: string) => `${path} must be #rrggbb.` }
})

type Tree = Record<string, unknown>
type Deps = { platform: Platform, accounts: AccountModel, users: UserModel, core: AccountsService['core'] }

const BRAND_PARTS = ['colors.primary', 'colors.secondary', 'colors.background', 'colors.text', 'logo', 'logo_dark', 'favicon', 'login_image', 'mail_footer', 'support.email', 'support.phone', 'support.url', 'terms_url', 'privacy_url']
const DEFAULTS: Tree = {
  notifications: {}, conversations: {}, configs: {}, sso: { parent_access: true }, security: { require_mfa: false, session_idle_hours: null },
  public_signup: { enabled: false, auto_approve: false, welcome_text: null }
}
/** Only a main account takes clients in. */
const NOT_INHERITED = new Set(['public_signup.enabled', 'public_signup.auto_approve', 'public_signup.welcome_text'])

const isTree = (value: unknown): value is Tree => value !== null && typeof value === 'object' && !Array.isArray(value)
const at = (tree: unknown, path: string): unknown => path.split('.').reduce<unknown>((value, key) => isTree(value) ? value[key] : undefined, tree)
const leaves = (tree: Tree, prefix = ''): string[] => Object.entries(tree)
  .flatMap(([key, value]) => isTree(value) ? leaves(value, `${prefix}${key}.`) : [prefix + key])

function put (tree: Tree, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop()!
  let here = tree
  for (const key of keys) here = (isTree(here[key]) ? here[key] : here[key] = {}) as Tree
  here[last] = value
}

/** Each path's value is the first that is there; `inherited` names the paths that are not the account's own. */
function resolve (paths: Iterable<string>, own: unknown, above: readonly unknown[]): { effective: Tree, inherited: string[] } {
  const effective: Tree = {}
  const inherited: string[] = []
  for (const path of paths) {
    const mine = at(own, path)
    const value = mine ?? above.map(tree => at(tree, path)).find(found => found !== undefined && found !== null)
    if (value !== undefined) put(effective, path, value)
    if ((mine === undefined || mine === null) && value !== undefined && value !== null) inherited.push(path)
  }
  return { effective, inherited }
}

/** A change over what is there: groups keep the fields that it does not carry, null takes a field away. */
function merge (before: Tree, change: Tree): Tree {
  const out = { ...before }
  for (const [key, value] of Object.entries(change)) out[key] = isTree(value) ? merge(isTree(out[key]) ? out[key] : {}, value) : value
  return out
}

export function createAccountSettings ({ platform, accounts, users, core }: Deps) {
  const { clock, transactions, invalidation } = platform

  const lockedIn = (main: AccountRow, paths: string[]): string | undefined => {
    const locked = (main.settings as Tree | null)?.locked as string[] | undefined ?? []
    return paths.find(path => locked.some(lock => path === lock || path.startsWith(`${lock}.`)))
  }

  async function branding (actor: Actor, id: string) {
    return brandingOf(await core.reach(actor, id))
  }

  async function brandingOf (row: AccountRow) {
    const main = await core.parentOf(row)
    const { effective, inherited } = resolve(BRAND_PARTS, row.branding, row === main ? [] : [main.branding])
    return { ...effective, inherited }
  }

  async function settings (actor: Actor, id: string) {
    return settingsOf(await core.reach(actor, id))
  }

  async function settingsOf (row: AccountRow) {
    const main = await core.parentOf(row)
    const own = (row.settings ?? {}) as Tree
    const above = row === main ? {} : Object.fromEntries(Object.entries((main.settings ?? {}) as Tree).filter(([key]) => key !== 'locked' && key !== 'public_signup'))
    const paths = new Set([...leaves(DEFAULTS), ...leaves(above), ...leaves(own).filter(path => path !== 'locked')])
    const { effective, inherited } = resolve(paths, own, [above, DEFAULTS])
    return { ...own, effective: { ...DEFAULTS, ...effective }, inherited: inherited.filter(path => row === main || !NOT_INHERITED.has(path)) }
  }

  type Kind = 'branding' | 'settings'
  async function change (actor: Actor, id: string, kind: Kind, body: Tree): Promise<AccountRow> {
    return transactions.run(async session => {
      const row = await core.reach(actor, id, session)
      const main = await core.parentOf(row, session)
      const paths = leaves(body)
      const child = row.parent_account !== null
      // The main account sets what it likes in its child; the child itself meets the locks.
      const lock = child && id === actor.accountId ? lockedIn(main, paths.map(path => kind === 'branding' ? `branding.${path}` : path)) ?? (kind === 'settings' && 'locked' in body ? 'locked' : undefined) : undefined
      if (lock !== undefined) throw SettingsError.SETTING_LOCKED(lock)
      const before = (row[kind] ?? {}) as Tree
      const next = merge(before, body)
      const changed = Object.fromEntries(paths.filter(path => JSON.stringify(at(before, path)) !== JSON.stringify(at(next, path)))
        .map(path => [path, { old: at(before, path) ?? null, new: at(next, path) ?? null }]))
      if (Object.keys(changed).length === 0) return row
      const after = await accounts.findOneAndUpdate(
        { _id: row._id }, { $set: { [kind]: next, updated_at: clock.now() } } as never, { session, returnDocument: 'after' }
      ).lean() as AccountRow
      await core.announce({ type: `account.${kind}_updated`, actor, row: after, changed }, session)
      await invalidation.invalidate('access.accounts', row._id.toHexString(), session)
      return after
    })
  }

  return {
    branding, settings,
    /** @throws ACCOUNT_NOT_FOUND, SETTING_LOCKED, INVALID_COLOR */
    async setBranding (actor: Actor, id: string, body: BrandingChange) {
      for (const [name, color] of Object.entries(body.colors ?? {})) {
        if (typeof color === 'string' && !/^#[0-9a-f]{6}$/i.test(color)) throw SettingsError.INVALID_COLOR(`colors.${name}`)
      }
      return brandingOf(await change(actor, id, 'branding', body as Tree))
    },
    /** @throws ACCOUNT_NOT_FOUND, SETTING_LOCKED */
    setSettings: async (actor: Actor, id: string, body: SettingsChange) => settingsOf(await change(actor, id, 'settings', body as Tree)),
    /** The people in charge, under the main account's name; without a manager its owner. */
    async contacts (actor: Actor) {
      const row = await core.reach(actor, actor.accountId)
      // A main account's manager is staff of the platform, whose address is nobody's business.
      const main = row.parent_account === null ? row : await core.parentOf(row)
      const manager = row.parent_account === null ? null : row.manager
      const person = await users.findOne({ account_id: main._id, status: 'active', ...(manager === null ? { is_owner: true } : { _id: manager }) }).lean()
      return { account_name: main.name, people: person === null ? [] : [{ ...person, role: manager === null ? 'owner' : 'manager' }] }
    }
  }
}
export type AccountSettingsService = ReturnType<typeof createAccountSettings>
