import { KEY_SCOPES, SCOPES, foldScope, heldOpens, isScope, opens, type Scope } from '../../schemas/scopes.js'
import type { Actor } from '../kit.js'
import { OauthError } from './errors.js'

const READING = new Set(['read', 'export'])
const ALL = [...SCOPES.values()]
const lastWord = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

/** The catalogue's own scopes below a name; a verb under a parent, such as `url.links.write`, may be none of them. */
const covered = (name: string): Scope[] => ALL.filter(scope => opens(name, scope.name))

/** May a key or app hold it (column K)? A parent only when everything below it may be held. */
export function mayHold (name: string): boolean {
  const below = covered(name)
  return below.length > 0 ? below.every(scope => KEY_SCOPES.has(scope.name)) : heldOpens(KEY_SCOPES, name)
}

/** Does the caller hold all that the name opens? */
export function holds (can: Actor['can'], name: string): boolean {
  const below = covered(name)
  return below.length > 0 ? below.every(scope => can(scope.name)) : can(name)
}

/** Column K over whatever else allows: also for what was forged into a stored row. */
export const cutToKeys = (can: Actor['can']): Actor['can'] => (needed, method) => heldOpens(KEY_SCOPES, needed, method) && can(needed, method)

/** True when a holder could change something with one of the scopes. */
export const writes = (scopes: readonly string[]): boolean => scopes.some(name => {
  const below = covered(name)
  return (below.length > 0 ? below.map(scope => scope.name) : [name]).some(one => !READING.has(lastWord(one)))
})

/**
 * Folds spellings and drops what another scope of the list opens.
 * @throws UNKNOWN_SCOPE, SCOPE_NOT_ALLOWED, SCOPE_ESCALATION for more than the caller holds
 */
export function checkScopes (names: readonly string[], can: Actor['can']): string[] {
  const folded = names.map(foldScope)
  for (const name of folded) {
    if (!isScope(name)) throw OauthError.UNKNOWN_SCOPE(name)
    if (!mayHold(name)) throw OauthError.SCOPE_NOT_ALLOWED(name)
    if (!holds(can, name)) throw OauthError.SCOPE_ESCALATION().with({ data: { scope: name } })
  }
  return reduce(folded)
}

/** The fewest names that open the same. */
export function reduce (names: readonly string[]): string[] {
  const unique = [...new Set(names)]
  return unique.filter(name => !unique.some(other => other !== name && opens(other, name)))
}

/** Reads a space-separated list; null when a name is unknown. */
export function parseScope (text: string): string[] | null {
  const names = text.split(' ').filter(name => name !== '').map(foldScope)
  return names.every(isScope) ? reduce(names) : null
}

/** Is everything that `asked` opens opened by one of `granted`? */
export const within = (asked: readonly string[], granted: readonly string[]): boolean => asked.every(name => granted.some(held => opens(held, name)))

/** Everything that a token may carry for a caller whose own token names no scope. */
export const keyScopesOf = (can: Actor['can']): string[] => reduce([...KEY_SCOPES].filter(name => can(name)))

// ---------------------------------------------------------------- words for people

const MODULES: Readonly<Record<string, string>> = {
  accounts: 'account',
  users: 'team',
  auth: 'sign-in',
  crm: 'CRM',
  activities: 'activities',
  forms: 'forms',
  inbound: 'inbound',
  filters: 'saved filters',
  billing: 'billing',
  store: 'store',
  onebalance: 'OneBalance',
  affiliates: 'affiliates',
  sites: 'sites',
  instasites: 'InstaSites',
  instareports: 'InstaReports',
  templates: 'templates',
  funnels: 'funnels',
  conversation: 'conversations',
  notifications: 'notifications',
  projects: 'projects',
  reputation: 'reviews',
  url: 'short links',
  webhooks: 'webhooks',
  oauth: 'apps and keys',
  corsproxy: 'fetching',
  shared: 'files and lists',
  public: 'public pages',
  mobile_app: 'mobile app',
  dashclicks: 'platform staff',
  communications: 'mail and SMS'
}
const VERBS: Readonly<Record<string, string>> = {
  read: 'See',
  create: 'Add',
  update: 'Change',
  delete: 'Delete',
  write: 'Add, change and delete',
  export: 'Export',
  import: 'Import',
  publish: 'Publish',
  approve: 'Approve',
  reply: 'Answer',
  send: 'Send',
  share: 'Share',
  notify: 'Send notices about',
  impersonate: 'Act as people of',
  use: 'Use'
}

/** `crm.contacts.read` -> "See contacts (CRM)"; a parent is one line: "Everything about contacts (CRM)". */
export function titleOf (name: string): string {
  const parts = name.split('.')
  const verb = VERBS[parts.at(-1)!]
  const [module, ...rest] = verb === undefined || parts.length === 1 ? parts : parts.slice(0, -1)
  const where = MODULES[module!] ?? module!.replaceAll('_', ' ')
  const what = rest.map(part => part.replaceAll('_', ' ')).reverse().join(' of ')
  const subject = what === '' ? where : `${what} (${where})`
  return `${verb ?? 'Everything about'} ${subject}`
}

/** The catalogue as the API shows it. */
export const catalogueFor = (can: Actor['can']) => ALL.map(({ name, kind }) => ({
  name,
  title: titleOf(name),
  description: kind === 'staff' ? 'For the staff of the platform only.' : kind === 'service' ? 'For services of the platform only.' : `${titleOf(name)}.`,
  parent: name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : null,
  held: can(name),
  consentable: KEY_SCOPES.has(name)
}))
