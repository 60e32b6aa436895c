import { CLIENT_DASHBOARD, ROLE_SCOPES, SCOPES, foldScope, heldOpens, isMainOnly, staffScopes } from '../../schemas/scopes.js'

type Person = { role: keyof typeof ROLE_SCOPES, scopes: string[] | null, staffRoles: readonly string[] }
type Place = { isChild: boolean, clientDashboard: boolean }

const NAMES = [...SCOPES.keys()]
const CLAIM_MAX = 4_096
/** What nobody may do while acting as somebody else: identity, keys and apps, ownership, money's destinations. */
const NEVER_IMPERSONATED = ['accounts.ownership', 'auth.impersonate', 'oauth.keys', 'oauth.apps', 'oauth.connections', 'store.account', 'store.customer', 'users.scopes']
const READING = /\.(read|export)$/

/** Rights that a session of this role opens doors with (modules/_scopes.md 2). */
export const permissionsOf = (role: string, staff: boolean): string[] => [
  'read', 'write', ...(role === 'owner' || role === 'admin' ? ['admin'] : []), ...(staff ? ['super_admin'] : [])
]

/** Names of the catalogue that the person holds in an account: person ∩ account ceiling, staff scopes on top. */
export function heldNames ({ role, scopes, staffRoles }: Person, { isChild, clientDashboard }: Place): Set<string> {
  const own = scopes === null ? ROLE_SCOPES[role] : new Set(scopes.map(foldScope))
  const ordinary = NAMES.filter(name => SCOPES.get(name)!.kind === 'ordinary' && heldOpens(own, name))
  const person = role === 'client' ? ordinary.filter(name => ROLE_SCOPES.client.has(name)) : ordinary
  const inside = isChild ? person.filter(name => !isMainOnly(name)) : person.filter(name => name !== 'projects.client')
  const held = new Set(inside)
  if (isChild) for (const name of CLIENT_DASHBOARD) clientDashboard ? held.add(name) : held.delete(name)
  const staff = staffScopes(staffRoles)
  for (const name of NAMES) if (heldOpens(staff, name)) held.add(name)
  return held
}

/** The target's scopes without what an impersonator must never do. */
export const impersonated = (held: ReadonlySet<string>): Set<string> => new Set([...held].filter(name =>
  SCOPES.get(name)?.kind !== 'staff' && (READING.test(name) || !NEVER_IMPERSONATED.some(parent => name === parent || name.startsWith(`${parent}.`)))))

/** Fewest names that say the same: a parent stands for its children only when all of them are held. */
export function reduceScope (held: ReadonlySet<string>): string {
  const out: string[] = []
  const covered = (parent: string) => {
    const below = NAMES.filter(name => name === parent || name.startsWith(`${parent}.`))
    return below.length > 0 && below.every(name => held.has(name))
  }
  const done = new Set<string>()
  for (const name of held) {
    const parts = name.split('.')
    for (let length = 1; length <= parts.length; length++) {
      const parent = parts.slice(0, length).join('.')
      if (done.has(parent)) break
      if (length < parts.length && !covered(parent)) continue
      done.add(parent)
      out.push(parent)
      break
    }
  }
  const scope = out.filter(name => !(/\.(create|update|delete)$/.test(name) && out.includes(name.replace(/\.[a-z]+$/, '.write')))).join(' ')
  if (scope.length > CLAIM_MAX) throw new Error(`a scope claim of ${scope.length} characters`)
  return scope
}
