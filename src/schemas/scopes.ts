/**
 * The one catalogue of dotted scopes: which exist and who holds them without being given them. A route that names a scope which is not
 * here stops the boot; `_api.scopes` is seeded from it.
 *
 * A line is `names | user | client | key`: the names that one row opens (braces hold alternatives), then what a person with the role user, a client,
 * and a key or app may hold: `+` everything, `r` reading verbs, `-` nothing, or the verbs and scopes themselves.
 */
const LINES = `
accounts.read | + | + | +
accounts.update | - | - | +
accounts.sub_accounts.{read,create,update,delete} | read create update | - | +
accounts.invites.{create,delete} | + | - | +
accounts.public_requests.{read,update} | r | - | +
accounts.domain.{read,write} accounts.branding.write accounts.settings.{read,write} | r | - | +
accounts.email_custom_domain | - | - | -
accounts.integrations.{read,delete} | r | - | r
accounts.snapshots.{read,create,update,delete} | - | - | +
accounts.files.{read,write} | + | + | +
accounts.notebooks.{read,write} | + | r | +
accounts.orders.read | + | + | +
accounts.sso | + | - | -
accounts.ownership | - | - | -
users.me | + | + | r
users.read | + | - | +
users.create users.update users.delete | - | - | +
users.scopes | - | - | -
users.config.{read,update} | + | + | -
users.sessions.{read,delete} | - | - | -
auth.self | + | + | -
auth.impersonate | - | - | -
crm.read | + | - | +
crm.settings | - | - | +
crm.contacts.{read,create,update,delete,export,import} crm.deals.{read,create,update,delete,export,import} | + | - | +
crm.pipelines.* crm.automations.* crm.fields.* | r | - | +
crm.notes.* crm.reminders.* crm.tags.* | + | - | +
activities.{read,create,update,delete,export} activities.comments.{create,update,delete} activities.analytics.read | + | - | +
activities.audit.{read,export} | - | - | +
forms.{read,create,update,delete} forms.templates.{read,write} | + | - | +
inbound.leads.{read,create,update,delete,export} inbound.campaigns.{read,create,update,delete} | + | - | +
filters.{read,create,update,delete} | + | - | +
billing.{customers,notes,subscriptions,invoices,products}.{read,write} | + | - | +
billing.charges.{read,write} billing.overview.read | r | - | +
billing.connection.* billing.operations.read | r | - | r
billing.payouts.read | - | - | r
billing.checkout.write | - | - | -
store.{cart,orders}.{read,write} | + | - | +
store.{products,subscriptions,invoices,refunds,credits,loyalty}.{read,write} | r | - | +
store.{coupons,promo_codes,disputes,payouts,reporting}.* | - | - | +
store.customer.* | r | - | r
store.{checkout,charge,account}.* | - | - | r
onebalance.wallet.* onebalance.usage.read | r | - | r
onebalance.{rebill,analytics,ledger}.* | - | - | r
onebalance.charge | service
onebalance.staff | staff
affiliates.{read,write} | r | - | r
affiliates.staff | staff
sites.{read,create,update,delete,publish} | + | - | +
sites.domain | - | - | +
instasites.{read,create,update,delete,publish,notify,templates,reports} | + | - | +
instareports.{read,create,update,delete,notify,templates,reports} | + | - | +
templates.{read,create,update,delete} | + | - | +
templates.share | - | - | +
funnels.{read,create,update,delete,publish} funnels.{analytics,blocks,sales,tags}.* | + | - | +
funnels.domains.* | r | - | +
conversation.team.* conversation.prospects.* | + | - | +
conversation.support.{read,write} | + | - | +
conversation.support.manage.* | - | - | +
conversation.channels.* | r | - | r
notifications.{read,write} | + | + | -
notifications.send | - | - | +
notifications.manage.* | - | - | r
projects.{accounts,activity,pulses,files,notebooks,onboardings,subscriptions,tasks,reports,templates}.* projects.tasks.approve projects.costs.read | + | - | +
projects.dashboard.* | - | - | +
projects.client | - | - | -
reputation.{reviews,reply,requests,templates,rules,auto_requests,widgets,reporting}.* | + | - | +
reputation.{sources,settings}.* | r | - | r
url.links.* url.analytics.read | + | - | +
url.domains.* | r | - | +
webhooks.{endpoints,deliveries,sources,received}.* | - | - | +
oauth.apps.* oauth.connections.* | - | - | r
oauth.keys.* | - | - | read create
oauth.scopes.read | + | - | +
corsproxy.{read,write} | + | - | +
corsproxy.rules.* | - | - | r
shared.files.* shared.folders.* shared.tags.* | + | shared.files.create | +
shared.jobs.{read,update} | + | r | +
shared.lookups.read | + | r | +
public.pages.* | r | - | +
mobile_app.use | + | + | -
communications | + | - | -
conversation | + | - | -
dashclicks.{accounts,users,billing,orders,projects,announcements,affiliates,products,system,audit,analytics,acm,impersonate,oauth,mobile_app,webhooks,url,templates,instareports} | staff
dashclicks.{forms,funnels,sites,instasites}.templates | staff
`

/** Held by sub-account sessions of any role while the client dashboard is on. */
export const CLIENT_DASHBOARD = [
  'projects.client', 'projects.accounts.read', 'projects.activity.read', 'projects.tasks.read', 'projects.tasks.write', 'projects.tasks.approve',
  'projects.files.read', 'projects.files.write', 'projects.notebooks.read', 'projects.onboardings.read', 'projects.onboardings.write',
  'projects.subscriptions.read', 'projects.reports.read'
] as const

/** Never held inside a sub-account, whatever the role (CLIENT_DASHBOARD excepted). */
const MAIN_ONLY = [
  'accounts.sub_accounts', 'accounts.invites', 'accounts.public_requests', 'accounts.snapshots', 'accounts.sso', 'instasites', 'instareports', 'affiliates',
  'projects', 'onebalance.rebill', 'store.coupons', 'store.promo_codes', 'store.disputes', 'store.payouts', 'store.reporting', 'store.account',
  'store.products.write', 'templates.share', 'oauth.apps'
] as const

/** Other spellings that are accepted and folded, never issued. */
const SPELLINGS: ReadonlyArray<readonly [string, string]> = [
  ['reviews', 'reputation'], ['conv', 'conversation'], ['conversations', 'conversation'], ['cors_proxy', 'corsproxy'], ['admin', 'dashclicks'],
  ['agencywebsites', 'sites'], ['crm.stages', 'crm.pipelines']
]

export type ScopeKind = 'ordinary' | 'staff' | 'service'
export type Scope = { name: string, kind: ScopeKind, user: boolean, client: boolean, key: boolean }

const READING = new Set(['read', 'export'])
const VERBS = ['read', 'create', 'update', 'delete', 'export', 'import']
const lastWord = (name: string) => name.slice(name.lastIndexOf('.') + 1)

/** `a.{b,c}.{d,e}` -> its four names; a final `*` stands for the bare name and its usual verbs. */
function expand (pattern: string): string[] {
  const brace = /\{([^}]+)\}/.exec(pattern)
  if (brace !== null) return brace[1]!.split(',').flatMap(part => expand(pattern.replace(brace[0], part)))
  return pattern.endsWith('.*') ? VERBS.slice(0, 4).concat('write').map(verb => pattern.slice(0, -1) + verb) : [pattern]
}

function holds (rule: string | undefined, name: string): boolean {
  switch (rule) {
    case '+': return true
    case '-': case undefined: return false
    case 'r': return READING.has(lastWord(name)) || !/\.(create|update|delete|write|import)$/.test(name)
    default: return rule.split(' ').some(word => word === name || word === lastWord(name))
  }
}

function parseLine (line: string): Scope[] {
  const [names, user, client, key] = line.split(' | ')
  const kind: ScopeKind = user === 'staff' || user === 'service' ? user : 'ordinary'
  return names!.split(' ').flatMap(expand).map(name => ({
    name,
    kind,
    user: kind === 'ordinary' && holds(user, name),
    client: kind === 'ordinary' && holds(client, name),
    key: kind === 'ordinary' && holds(key, name)
  }))
}

export const SCOPES: ReadonlyMap<string, Scope> = new Map(LINES.trim().split('\n').flatMap(parseLine).map(scope => [scope.name, scope]))

const parents = new Set([...SCOPES.keys()].flatMap(name => name.split('.').map((_, i, parts) => parts.slice(0, i + 1).join('.'))))

/** Is this a name that a route, key or token may carry? Parents of catalogue names are; so is a verb below one of them. */
export const isScope = (name: string): boolean =>
  parents.has(name) || (VERBS.concat('write').includes(lastWord(name)) && parents.has(name.slice(0, name.lastIndexOf('.'))))

/** Folds other spellings onto the catalogue's. */
export function foldScope (name: string): string {
  for (const [from, to] of SPELLINGS) {
    if (name === from || name.startsWith(`${from}.`)) return to + name.slice(from.length)
  }
  return name
}

const VERB_OF_METHOD: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'update', DELETE: 'delete' }

/** Does the held scope open the needed one? Rules 1 to 3 of the grammar; `method` is the request's, for a needed `….write`. */
export function opens (held: string, needed: string, method?: string): boolean {
  if (needed === held || needed.startsWith(`${held}.`)) return true
  const base = held.endsWith('.write') ? held.slice(0, -6) : undefined
  if (base !== undefined && (needed === `${base}.create` || needed === `${base}.update` || needed === `${base}.delete`)) return true
  const verb = method === undefined ? undefined : VERB_OF_METHOD[method]
  return verb !== undefined && needed.endsWith('.write') && opens(held, needed.slice(0, -5) + verb)
}

const under = (name: string, parent: string) => name === parent || name.startsWith(`${parent}.`)
const ORDINARY = [...SCOPES.values()].filter(scope => scope.kind === 'ordinary')

/** Default scopes of a role; an owner holds everything ordinary, an admin all but handing the account over. */
export const ROLE_SCOPES: Readonly<Record<'owner' | 'admin' | 'user' | 'client', ReadonlySet<string>>> = {
  owner: new Set(ORDINARY.map(scope => scope.name).filter(name => name !== 'projects.client')),
  admin: new Set(ORDINARY.map(scope => scope.name).filter(name => name !== 'projects.client' && name !== 'accounts.ownership')),
  user: new Set(ORDINARY.filter(scope => scope.user).map(scope => scope.name)),
  client: new Set(ORDINARY.filter(scope => scope.client).map(scope => scope.name))
}

/** What keys and apps may hold at all. */
export const KEY_SCOPES: ReadonlySet<string> = new Set(ORDINARY.filter(scope => scope.key).map(scope => scope.name))

/** True when a sub-account can never hold it. */
export const isMainOnly = (name: string): boolean =>
  MAIN_ONLY.some(parent => under(name, parent)) && !(CLIENT_DASHBOARD as readonly string[]).includes(name)

/** The scope that a route really asks for: one without a verb means its `.write` on changing routes and its `.read` on reading ones. */
export function neededScope (name: string, reads: boolean): string {
  if (SCOPES.has(name)) return name
  const last = lastWord(name)
  return VERBS.includes(last) || last === 'write' ? name : `${name}.${reads ? 'read' : 'write'}`
}

/** Any of the held scopes opens the needed one? Sets are asked by name and its parents first, which is the usual hit. */
export function heldOpens (held: ReadonlySet<string>, needed: string, method?: string): boolean {
  for (let name = needed; ;) {
    if (held.has(name)) return true
    const dot = name.lastIndexOf('.')
    if (dot === -1) break
    name = name.slice(0, dot)
  }
  const dot = needed.lastIndexOf('.')
  const verb = needed.slice(dot + 1)
  if (verb === 'create' || verb === 'update' || verb === 'delete') return held.has(`${needed.slice(0, dot)}.write`)
  const by = verb === 'write' && method !== undefined ? VERB_OF_METHOD[method] : undefined
  return by !== undefined && heldOpens(held, `${needed.slice(0, dot)}.${by}`)
}

const STAFF_ROLES: Readonly<Record<string, readonly string[]>> = {
  platform_admin: ['dashclicks', 'onebalance.staff', 'affiliates.staff'],
  account_manager: ['dashclicks.accounts', 'dashclicks.users', 'dashclicks.impersonate', 'dashclicks.projects', 'dashclicks.billing.read', 'dashclicks.acm.read'],
  support: ['dashclicks.accounts.read', 'dashclicks.users', 'dashclicks.impersonate'],
  projects_admin: ['dashclicks.projects', 'dashclicks.orders.read', 'dashclicks.products.read'],
  project_manager: ['dashclicks.projects', 'dashclicks.orders.read', 'dashclicks.products.read'],
  team_lead: ['dashclicks.projects'],
  fulfillment_specialist: ['dashclicks.projects'],
  order_admin: ['dashclicks.orders', 'dashclicks.products'],
  setup_manager: ['dashclicks.orders', 'dashclicks.products'],
  billing_specialist: ['dashclicks.billing', 'dashclicks.accounts.read', 'dashclicks.affiliates.read', 'onebalance.staff'],
  announcement_admin: ['dashclicks.announcements'],
  distribution_manager: ['dashclicks.announcements'],
  content_manager: [
    'dashclicks.announcements', 'dashclicks.templates', 'dashclicks.forms.templates', 'dashclicks.funnels.templates', 'dashclicks.sites.templates',
    'dashclicks.instasites.templates', 'dashclicks.instareports'
  ],
  acm_super_manager: ['dashclicks.acm', 'dashclicks.analytics.read'],
  acm_manager: ['dashclicks.acm.read'],
  acm_team_lead: ['dashclicks.acm.read'],
  acm_specialist: ['dashclicks.acm.read'],
  analyst: ['dashclicks.analytics.read', 'dashclicks.acm.read'],
  system_admin: ['dashclicks.system', 'dashclicks.audit', 'dashclicks.webhooks', 'dashclicks.url', 'dashclicks.oauth', 'dashclicks.mobile_app']
}

/** Scopes of a member of the platform's staff by the roles in `_users.dashclicks`. */
export const staffScopes = (roles: readonly string[]): Set<string> => new Set(roles.flatMap(role => STAFF_ROLES[role] ?? []))
