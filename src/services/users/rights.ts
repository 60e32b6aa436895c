import { SCOPES, foldScope, isMainOnly, isScope } from '../../schemas/scopes.js'
import type { Role } from '../../schemas/users.js'
import type { Actor } from '../kit.js'
import { UserError } from './errors.js'

const RANK: Readonly<Record<string, number>> = { client: 0, user: 1, admin: 2, owner: 3 }
/** A token without a session that says `admin` counts as an admin's (modules/_scopes.md 2). */
const rankOf = (actor: Actor): number => Math.max(RANK[actor.role] ?? 0, actor.permissions.has('admin') ? RANK.admin! : 0)

/** @throws SCOPE_ESCALATION: there is one owner, who is made by a transfer, and nobody grants more than his own role */
export function checkRole (actor: Actor, role: Role): void {
  if (role === 'owner' || RANK[role]! > rankOf(actor)) throw UserError.SCOPE_ESCALATION()
}

/** The names of the catalogue that a scope opens: itself, its verbs, or all below it. */
function covered (name: string): string[] {
  const scope = SCOPES.get(name)
  if (scope !== undefined) return [name]
  const base = name.endsWith('.write') ? name.slice(0, -6) : name
  const below = [...SCOPES.values()].filter(({ name: other, kind }) => kind === 'ordinary' && other.startsWith(`${base}.`) && other !== 'projects.client')
  const names = base === name ? below : below.filter(({ name: other }) => /\.(create|update|delete)$/.test(other))
  return names.length === 0 ? [name] : names.map(({ name: other }) => other)
}

/**
 * The scopes as they are stored: folded, without doubles, each one held by the caller.
 * @throws UNKNOWN_SCOPE, SCOPE_ESCALATION
 */
export function checkScopes (actor: Actor, scopes: readonly string[]): string[] {
  const folded = [...new Set(scopes.map(foldScope))]
  for (const name of folded) {
    if (!isScope(name)) throw UserError.UNKNOWN_SCOPE(name)
    if (!holds(actor, name)) throw UserError.SCOPE_ESCALATION()
  }
  return folded
}

function holds (actor: Actor, name: string): boolean {
  if ((SCOPES.get(name)?.kind ?? 'ordinary') !== 'ordinary' || name === 'projects.client') return false
  // Inside a client's account a parent counts without what no client account can hold; the door cuts that off for everybody.
  const all = covered(name)
  const names = actor.parentAccount === null ? all : all.filter(other => !isMainOnly(other))
  return names.length > 0 && names.every(other => actor.can(other))
}
