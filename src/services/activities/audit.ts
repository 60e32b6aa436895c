import { createHash } from 'node:crypto'
import { Types, type ClientSession } from 'mongoose'
import type { AuditAnchorModel, AuditModel, AuditRow } from '../../models/activities.js'
import { crossTenant } from '../../models/define.js'
import type { AuditQuery } from '../../schemas/activities.js'
import type { Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createLister } from '../resource/list.js'
import type { EventRecord } from '../runtime/fan-out.js'
import { demandTransaction } from '../transactions.js'
import { ActivityError } from './errors.js'

export type AuditInput = {
  accountId: string | null
  action: string
  resource: { type: string, id: string | null, label?: string | null }
  actor: { kind: string, id: string | null, name?: string | null, keyId?: string | null, clientId?: string | null }
  impersonatorId?: string | null
  ip?: string | null
  userAgent?: string | null
  requestId?: string | null
  outcome?: 'ok' | 'refused'
  before?: unknown
  after?: unknown
  reason?: string | null
  /** a second entry with it adds nothing */
  sourceKey?: string | null
}
type Deps = { platform: Platform, audit: AuditModel, anchors: AuditAnchorModel }

/** Acts without a tenant stand in the log of the platform. */
const PLATFORM_ACCOUNT = '0'.repeat(24)
const SECRET = /password|secret|token|key|hash|card|authorization/i
const MAX_BYTES = 16_384
const BATCH = 500
const HIDDEN = { sealed: 0, source_key: 0 } as const
const ALL = crossTenant('the sealer and the retention of the audit log serve all accounts')
const GENESIS = '0'.repeat(64)

/** Modules all of whose events are audited; of the others, what removes, exports, imports or acts on many. */
const MODULES = new Set(['account', 'user', 'auth', 'session', 'api_key', 'oauth_app', 'oauth_connection', 'billing', 'webhook_endpoint', 'webhook_source', 'integration', 'onebalance', 'impersonation', 'link_domain'])
const ACTIONS = /^(deleted|removed|erased|purged|merged|exported|imported|restored|granted|revoked|refunded|role_changed|scopes_changed)$/
export function isAudited (type: string): boolean {
  const [resource = '', action = ''] = type.split('.')
  return MODULES.has(resource) || /^(account|user|auth|oauth|api|billing|onebalance|impersonation)_/.test(resource) || ACTIONS.test(action)
}

/** A copy without secrets, at most 16 KB. */
export function redact (value: unknown): unknown {
  const plain = JSON.parse(JSON.stringify(value ?? null, (key, part: unknown) => key !== '' && SECRET.test(key) && part !== null ? '[redacted]' : part)) as unknown
  const text = JSON.stringify(plain)
  return text.length <= MAX_BYTES ? plain : { '[cut]': text.slice(0, MAX_BYTES - 100) }
}

const canonical = (value: unknown): string => JSON.stringify(value, (_, part: unknown) => part !== null && typeof part === 'object' && !Array.isArray(part)
  ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
  : part)

/** SHA-256 of the hash before and of all that the row says. */
export function sealOf (prev: string, seq: number, row: AuditRow): string {
  const { action, resource, resource_id: id, label, actor, impersonator_id: impersonator, ip, user_agent: agent, request_id: request, outcome, before, after, reason } = row
  return createHash('sha256').update(prev).update(canonical([
    row._id.toHexString(), row.account_id.toHexString(), seq, action, resource, id, label, actor, impersonator, ip, agent, request, outcome, before, after, reason, row.created_at.toISOString()
  ])).digest('hex')
}

export function createAudit ({ platform, audit, anchors }: Deps) {
  const { clock, ids, transactions, events } = platform
  const lister = createLister<AuditRow>({ model: audit as never, sortable: { created_at: 'created_at' }, defaultSort: '-created_at', projection: HIDDEN })

  /** Writes the row in the transaction of what it tells of: both are there, or neither. */
  async function write (entry: AuditInput, session: ClientSession): Promise<void> {
    demandTransaction(session, 'an audit row')
    const account = new Types.ObjectId(entry.accountId ?? PLATFORM_ACCOUNT)
    const { kind, id, name = null, keyId = null, clientId = null } = entry.actor
    const _id = ids.objectId()
    const row = {
      account_id: account, action: entry.action, resource: entry.resource.type, resource_id: entry.resource.id, label: entry.resource.label ?? null,
      actor: { kind, id, name, key_id: keyId, client_id: clientId }, impersonator_id: entry.impersonatorId ?? null, ip: entry.ip ?? null, user_agent: entry.userAgent ?? null,
      request_id: entry.requestId ?? null, outcome: entry.outcome ?? 'ok', before: redact(entry.before), after: redact(entry.after), reason: entry.reason ?? null,
      seq: null, prev_hash: null, hash: null, created_at: clock.now(), sealed: false, source_key: entry.sourceKey ?? null
    }
    if (row.source_key === null) await audit.create([{ _id, ...row }], { session })
    else await audit.updateOne({ account_id: account, source_key: row.source_key }, { $setOnInsert: { _id, ...row } } as never, { session, upsert: true })
  }

  const fromEvent = (event: EventRecord): AuditInput => {
    const changed = event.changed as Record<string, { old: unknown, new: unknown }> | null
    const side = (which: 'old' | 'new') => changed === null ? null : Object.fromEntries(Object.entries(changed).map(([field, change]) => [field, change[which]]))
    const { name = null } = (event.data ?? {}) as { name?: string | null }
    return {
      accountId: event.account_id?.toHexString() ?? null, action: event.type, resource: { ...event.resource, label: typeof name === 'string' ? name : null },
      actor: { kind: event.actor.type, id: event.actor.id }, impersonatorId: event.actor.impersonator_id, requestId: event.request_id,
      before: side('old'), after: side('new') ?? event.data, sourceKey: event._id
    }
  }

  // ---------------------------------------------------------------- the chain

  /** Gives the account's new rows their places; two sealers at once meet at the head of the chain, and one starts again. */
  const sealBatch = (account: Types.ObjectId): Promise<number> => transactions.run(async session => {
    const head = await anchors.findOneAndUpdate(
      { account_id: account }, { $setOnInsert: { seq: 0, hash: GENESIS, dropped_to: 0, dropped_hash: GENESIS }, $set: { created_at: clock.now() } }, { session, upsert: true, returnDocument: 'after' }
    ).lean()
    const rows = await audit.find({ account_id: account, sealed: false }, null, { session }).sort({ created_at: 1, _id: 1 }).limit(BATCH).lean() as unknown as AuditRow[]
    let { seq, hash } = head!
    for (const row of rows) {
      const prev = hash
      hash = sealOf(prev, ++seq, row)
      await audit.updateOne({ account_id: account, _id: row._id, sealed: false }, { $set: { seq, prev_hash: prev, hash, sealed: true } }, { session })
    }
    await anchors.updateOne({ account_id: account }, { $set: { seq, hash } }, { session })
    return rows.length
  })

  async function seal (signal: AbortSignal): Promise<number> {
    let total = 0
    const waiting = await audit.distinct('account_id', { sealed: false }).setOptions(ALL)
    for (const account of waiting) {
      for (let sealed = BATCH; sealed === BATCH && !signal.aborted; total += sealed) sealed = await sealBatch(account as Types.ObjectId)
    }
    return total
  }

  /** Reads the chain from where it begins (or from the first row of `from`) and stops at the first row that is not as it was sealed. */
  async function verify (actor: Actor, { from, to }: { from?: string, to?: string }) {
    const account = new Types.ObjectId(actor.accountId)
    const anchor = await anchors.findOne({ account_id: account }).lean()
    const head = anchor ?? { seq: 0, hash: GENESIS, dropped_to: 0, dropped_hash: GENESIS }
    const bound = async (filter: object, direction: 1 | -1) => (await audit.findOne({ account_id: account, sealed: true, created_at: filter }, { seq: 1 }).sort({ seq: direction }).lean())?.seq
    const first = from === undefined ? head.dropped_to + 1 : await bound({ $gte: new Date(from) }, 1) ?? head.seq + 1
    const last = to === undefined ? head.seq : await bound({ $lte: new Date(to) }, -1) ?? 0
    const before = first === head.dropped_to + 1 ? head.dropped_hash : (await audit.findOne({ account_id: account, seq: first - 1 }, { hash: 1 }).lean())?.hash ?? null
    const found = await walk(account, first, last, before, head)
    if (found.first_bad !== undefined) {
      await transactions.run(session => events.emit({
        type: 'audit.verify_failed', actor, resource: { type: 'audit', id: found.first_bad!.id ?? String(found.first_bad!.seq) }, data: { from, to, first_bad: found.first_bad }
      }, session))
    }
    return { ok: found.first_bad === undefined, ...found, sealed_to: head.seq }
  }

  type Bad = { seq: number, id: string | null, problem: 'changed' | 'missing' }
  async function walk (account: Types.ObjectId, first: number, last: number, before: string | null, head: { seq: number, hash: string }): Promise<{ checked: number, first_bad?: Bad }> {
    let expected = first
    let prev = before
    let checked = 0
    const rows = audit.find({ account_id: account, seq: { $gte: first, $lte: last } }).sort({ seq: 1 }).lean().cursor({ batchSize: 500 }) as unknown as AsyncIterable<AuditRow>
    for await (const row of rows) {
      const id = row._id.toHexString()
      if (row.seq !== expected) return { checked, first_bad: { seq: expected, id: null, problem: 'missing' } }
      if (row.prev_hash === null || (prev !== null && row.prev_hash !== prev) || row.hash !== sealOf(row.prev_hash, row.seq, row)) return { checked, first_bad: { seq: expected, id, problem: 'changed' } }
      prev = row.hash
      expected++
      checked++
    }
    if (expected <= last) return { checked, first_bad: { seq: expected, id: null, problem: 'missing' } }
    if (last === head.seq && prev !== null && last >= first && prev !== head.hash) return { checked, first_bad: { seq: last, id: null, problem: 'changed' } }
    return { checked }
  }

  // ---------------------------------------------------------------- reading

  function toFilter (actor: Actor, { actor_id: who, action, via, from, to, ...same }: Omit<AuditQuery, 'page' | 'limit' | 'cursor' | 'sort' | 'fields' | 'q'>): Record<string, unknown> {
    return {
      account_id: new Types.ObjectId(actor.accountId),
      ...same,
      ...(who !== undefined && { 'actor.id': who }),
      ...(action !== undefined && { action: action.endsWith('.') ? { $gte: action, $lt: `${action}\uffff` } : action }),
      ...(via === 'impersonation' ? { impersonator_id: { $ne: null } } : via !== undefined && { 'actor.kind': via === 'user' ? { $in: ['user', 'staff'] } : via, impersonator_id: null }),
      ...((from !== undefined || to !== undefined) && { created_at: { ...(from !== undefined && { $gte: new Date(from) }), ...(to !== undefined && { $lt: new Date(to) }) } })
    }
  }

  return {
    write, fromEvent, seal, verify,
    list: (actor: Actor, { q: _q, fields: _fields, page, limit, cursor, sort, ...filter }: AuditQuery) => lister.list(toFilter(actor, filter), {
      ...(page !== undefined && { page }), ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }), ...(sort !== undefined && { sort })
    }),
    /** @throws AUDIT_NOT_FOUND */
    async get (actor: Actor, id: string): Promise<AuditRow> {
      const row = await audit.findOne({ account_id: new Types.ObjectId(actor.accountId), _id: new Types.ObjectId(id) }, HIDDEN).lean()
      if (row === null) throw ActivityError.AUDIT_NOT_FOUND()
      return row as unknown as AuditRow
    },
    /** The rows as a stream; that they were taken is in the log first. */
    async export (actor: Actor, filter: Parameters<typeof toFilter>[1], caller: { ip: string, userAgent?: string }): Promise<AsyncIterable<AuditRow>> {
      await transactions.run(async session => {
        await write({
          accountId: actor.accountId, action: 'audit.exported', resource: { type: 'audit', id: null }, actor: { kind: actor.type, id: actor.userId },
          impersonatorId: actor.impersonatorId ?? null, ip: caller.ip, userAgent: caller.userAgent ?? null, requestId: actor.requestId, after: filter
        }, session)
        await events.emit({ type: 'audit.exported', actor, resource: { type: 'audit', id: actor.accountId }, data: { ...filter } }, session)
      })
      return lister.stream(toFilter(actor, filter))
    }
  }
}
export type Audit = ReturnType<typeof createAudit>
