import { Types, type ClientSession } from 'mongoose'
import type { LinkModel, LinkRow } from '../../models/url.js'
import type { LinkChange, LinkQuery, NewLink } from '../../schemas/url.js'
import type { Actor } from '../kit.js'
import { CommonError } from '../kit.js'
import type { Platform } from '../platform.js'
import { compileQ, searchTerms } from '../filters/terms.js'
import { createLister } from '../resource/list.js'
import { checkCode, codeKey, generateCode, reservedCodes } from './codes.js'
import { LinkError } from './errors.js'
import { checkTarget } from './targets.js'

type Deps = { platform: Platform, links: LinkModel }

const HIDDEN = { code_keys: 0, search_terms: 0 } as const
const MAX_ATTEMPTS = 20
const MAX_PER_ACCOUNT = 1_000_000
const SORTABLE = { created_at: 'created_at', visits: 'visits', last_visit_at: 'last_visit_at', title: 'title', code: 'code' }

/** Hosts under which short links are reached: a link to one of them would be a loop. */
export const shortHosts = (config: Platform['config']): ReadonlySet<string> =>
  new Set([new URL(config.publicUrl).host, ...(config.SHORT_DOMAIN === undefined ? [] : [config.SHORT_DOMAIN.toLowerCase()])])

export const shortUrlBase = (config: Platform['config']): string =>
  config.SHORT_DOMAIN === undefined ? config.publicUrl : `https://${config.SHORT_DOMAIN}`

export function createLinksService ({ platform, links }: Deps) {
  const { config, clock, ids, transactions, events, invalidation } = platform
  const reserved = reservedCodes(config.RESERVED_CODES)
  const ownHosts = shortHosts(config)
  const lister = createLister<LinkRow>({ model: links as never, sortable: SORTABLE, defaultSort: '-created_at', projection: HIDDEN })
  const account = (actor: Actor) => new Types.ObjectId(actor.accountId)

  // ---------------------------------------------------------------- reading

  function toFilter (actor: Actor, query: Omit<LinkQuery, 'page' | 'limit' | 'cursor' | 'sort' | 'fields'>): Record<string, unknown> {
    const { q, archived = false, tag, created_by: creator, expired, created_at_gte: from, created_at_lt: to, ...same } = query
    const now = clock.now()
    return {
      account_id: account(actor),
      archived_at: archived ? { $ne: null } : null,
      ...same,
      ...(tag !== undefined && { tags: tag }),
      ...(creator !== undefined && { created_by: new Types.ObjectId(creator) }),
      ...(expired === true && { valid_until: { $lte: now } }),
      ...(expired === false && { $or: [{ valid_until: null }, { valid_until: { $gt: now } }] }),
      ...((from !== undefined || to !== undefined) && { created_at: { ...(from && { $gte: new Date(from) }), ...(to && { $lt: new Date(to) }) } }),
      ...(q !== undefined && { $and: compileQ(q) })
    }
  }

  const list = (actor: Actor, { page, limit, cursor, sort, fields: _fields, ...filters }: LinkQuery) =>
    lister.list(toFilter(actor, filters), { page, limit, cursor, sort })

  const stream = (actor: Actor, { sort, ...filters }: Omit<LinkQuery, 'page' | 'limit' | 'cursor' | 'fields'>) => lister.stream(toFilter(actor, filters), sort)

  /** @throws LINK_NOT_FOUND, also for another account's link */
  async function get (actor: Actor, id: string): Promise<LinkRow> {
    const row = await links.findOne({ account_id: account(actor), _id: new Types.ObjectId(id) }, HIDDEN).lean()
    if (row === null) throw LinkError.LINK_NOT_FOUND()
    return row as LinkRow
  }

  async function lookup (actor: Actor, { code, external_id: externalId }: { code?: string, external_id?: string }): Promise<LinkRow> {
    const row = await links.findOne({
      account_id: account(actor), ...(code !== undefined && { domain_id: null, code_keys: codeKey(code) }), ...(externalId !== undefined && { external_id: externalId })
    }, HIDDEN).lean()
    if (row === null) throw LinkError.LINK_NOT_FOUND()
    return row as LinkRow
  }

  async function tags (actor: Actor) {
    const count = (field: 'tags' | 'folder') => links.aggregate<{ _id: string | null, count: number }>([
      { $match: { account_id: account(actor), archived_at: null } },
      ...(field === 'tags' ? [{ $unwind: '$tags' }] : []),
      { $group: { _id: `$${field}`, count: { $sum: 1 } } },
      { $sort: { count: -1, _id: 1 } },
      { $limit: 500 }
    ])
    const [byTag, byFolder] = await Promise.all([count('tags'), count('folder')])
    const named = (rows: { _id: string | null, count: number }[]) => rows.flatMap(({ _id, count: n }) => _id === null ? [] : [{ name: _id, count: n }])
    return { tags: named(byTag), folders: named(byFolder) }
  }

  // ---------------------------------------------------------------- writing

  /**
   * @returns the link, and whether it is new (`reuse` may answer with one that was there)
   * @throws CODE_TAKEN (with suggestions), CODE_RESERVED, INVALID_CODE, INVALID_TARGET_URL, LOOP_DETECTED, LINK_LIMIT_REACHED
   */
  async function create (actor: Actor, input: NewLink): Promise<{ link: LinkRow, created: boolean }> {
    const { custom_code: custom, on_conflict: onConflict = 'error', reuse = false, ...fields } = input
    if (custom !== undefined) checkCode(custom, reserved)
    const url = checkTarget(fields.url, 'url', ownHosts)
    if (reuse && custom === undefined) {
      const known = await reusable(actor, url)
      if (known !== null) return { link: known, created: false }
    }
    await checkLimit(actor)
    const draft = newRow(actor, { ...fields, url })
    const first = custom ?? generateCode(0)
    const inserted = await tryInsert(actor, draft, first, custom !== undefined)
    if (inserted !== null) return { link: inserted, created: true }
    if (custom !== undefined && onConflict === 'error') throw LinkError.CODE_TAKEN().with({ data: { suggestions: await suggestions(custom) } })
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
      const generated = await tryInsert(actor, draft, generateCode(attempt), false)
      if (generated !== null) return { link: generated, created: true }
    }
    throw CommonError.INTERNAL_ERROR().because('no free code after 20 tries')
  }

  const reusable = async (actor: Actor, url: string): Promise<LinkRow | null> => await links.findOne({
    account_id: account(actor), url, active: true, archived_at: null, blocked_at: null, custom: false, valid_since: null, valid_until: null, utm: null
  }, HIDDEN).lean() as LinkRow | null

  /** Counting a million index entries for each link would cost more than the link: the count is a minute old at most. */
  const counts = platform.cache<number>({
    scope: 'links.count', max: 10_000, ttl: 60_000, load: id => links.countDocuments({ account_id: new Types.ObjectId(id) }).limit(MAX_PER_ACCOUNT).exec()
  })

  async function checkLimit (actor: Actor): Promise<void> {
    if (await counts.get(actor.accountId) >= MAX_PER_ACCOUNT) throw LinkError.LINK_LIMIT_REACHED()
  }

  function newRow (actor: Actor, fields: Omit<NewLink, 'custom_code' | 'on_conflict' | 'reuse'>) {
    const now = clock.now()
    return {
      account_id: account(actor), created_by: new Types.ObjectId(actor.userId), domain_id: null, url: fields.url, active: fields.active ?? true, archived_at: null,
      visits: 0, unique_visits: 0, bot_visits: 0, last_visit_at: null, title: fields.title ?? null, description: fields.description ?? null,
      comments: fields.comments ?? null, tags: fields.tags ?? [], folder: fields.folder ?? null, external_id: fields.external_id ?? null, origin: 'user' as const,
      redirect_type: fields.redirect_type ?? 302 as const, forward_query: fields.forward_query ?? true, crawlable: fields.crawlable ?? false,
      valid_since: date(fields.valid_since), valid_until: date(fields.valid_until), utm: fields.utm ?? null,
      expired_url: fields.expired_url === undefined || fields.expired_url === null ? null : checkTarget(fields.expired_url, 'expired_url', ownHosts),
      blocked_at: null, block_reason: null, version: 1, created_at: now, updated_at: now
    }
  }

  /** Null when the code is taken; another unique key that is taken is the caller's 409. */
  async function tryInsert (actor: Actor, draft: ReturnType<typeof newRow>, code: string, custom: boolean): Promise<LinkRow | null> {
    // A read first: inside a transaction that is already open, a duplicate key would end it.
    if (await links.exists({ domain_id: null, code_keys: codeKey(code) }).setOptions(ANY_ACCOUNT) !== null) return null
    const row = { _id: ids.objectId(), ...draft, code, custom, code_keys: [codeKey(code)], search_terms: searchTerms({ code, url: draft.url, title: draft.title }) }
    try {
      await transactions.run(async session => {
        await links.create([row], { session })
        await invalidation.invalidate('links', codeKey(code), session)
        await events.emit({ type: 'link.created', actor, resource: { type: 'link', id: row._id.toHexString() }, data: { code, url: draft.url, origin: draft.origin } }, session)
      })
    } catch (error) {
      if (isDuplicateOf(error, 'code_keys')) return null
      throw error
    }
    const { code_keys: _keys, search_terms: _terms, ...visible } = row
    return visible as LinkRow
  }

  async function suggestions (taken: string): Promise<string[]> {
    const candidates = Array.from({ length: 12 }, (_, i) => `${taken.slice(0, 58)}-${i < 6 ? i + 2 : generateCode(0).slice(0, 4)}`)
    const rows = await links.find({ domain_id: null, code_keys: { $in: candidates.map(codeKey) } }, { code_keys: 1 }, ANY_ACCOUNT).lean()
    const used = new Set(rows.flatMap(row => row.code_keys))
    return candidates.filter(code => !used.has(codeKey(code)) && !reserved.has(code.toLowerCase())).slice(0, 3)
  }

  /** @throws LINK_NOT_FOUND, VERSION_CONFLICT when `version` is given and another, CODE_TAKEN and the errors of create */
  async function update (actor: Actor, id: string, change: LinkChange, version?: number): Promise<LinkRow> {
    const before = await get(actor, id)
    if (version !== undefined && before.version !== version) throw CommonError.VERSION_CONFLICT()
    const { code, url, expired_url: expiredUrl, valid_since: since, valid_until: until, ...plain } = change
    if (code !== undefined) checkCode(code, reserved)
    const set: Partial<LinkRow> = {
      ...plain as Partial<LinkRow>,
      ...(url !== undefined && { url: checkTarget(url, 'url', ownHosts) }),
      ...(expiredUrl !== undefined && { expired_url: expiredUrl === null ? null : checkTarget(expiredUrl, 'expired_url', ownHosts) }),
      ...(since !== undefined && { valid_since: date(since) }),
      ...(until !== undefined && { valid_until: date(until) }),
      ...(code !== undefined && { code, custom: true })
    }
    return save(actor, before, set, 'link.updated')
  }

  /** Archives: the code stays taken and answers 404. */
  const archive = async (actor: Actor, id: string): Promise<LinkRow> => {
    const before = await get(actor, id)
    return before.archived_at !== null ? before : save(actor, before, { archived_at: clock.now(), active: false }, 'link.archived')
  }

  /** Blanks the link for ever: nothing of where it led is left, and nobody else gets the code. */
  const erase = async (actor: Actor, id: string): Promise<LinkRow> => save(actor, await get(actor, id), {
    archived_at: clock.now(), active: false, url: 'https://deleted.invalid/', title: null, description: null, comments: null, tags: [], folder: null, external_id: null, utm: null, expired_url: null
  }, 'link.deleted')

  async function save (actor: Actor, before: LinkRow, set: Partial<LinkRow>, type: 'link.updated' | 'link.archived' | 'link.deleted'): Promise<LinkRow> {
    const changed = difference(before, set)
    if (Object.keys(changed).length === 0) return before
    const next = { ...before, ...set }
    const moved = set.code !== undefined && codeKey(set.code) !== codeKey(before.code)
    if (moved && await links.exists({ domain_id: null, code_keys: codeKey(next.code), _id: { $ne: before._id } }).setOptions(ANY_ACCOUNT) !== null) {
      throw LinkError.CODE_TAKEN().with({ data: { suggestions: await suggestions(next.code) } })
    }
    try {
      return await transactions.run(session => write(actor, before, next, set, changed, type, session))
    } catch (error) {
      if (isDuplicateOf(error, 'code_keys')) throw LinkError.CODE_TAKEN()
      throw error
    }
  }

  async function write (actor: Actor, before: LinkRow, next: LinkRow, set: Partial<LinkRow>, changed: Changed, type: string, session: ClientSession): Promise<LinkRow> {
    const after = await links.findOneAndUpdate(
      { account_id: before.account_id, _id: before._id, version: before.version },
      {
        $set: { ...set, code_keys: [codeKey(next.code)], search_terms: searchTerms({ code: next.code, url: next.url, title: next.title }), updated_at: clock.now() },
        $inc: { version: 1 }
      },
      { session, returnDocument: 'after', projection: HIDDEN }
    ).lean()
    if (after === null) throw CommonError.VERSION_CONFLICT()
    for (const key of new Set([codeKey(before.code), codeKey(next.code)])) await invalidation.invalidate('links', key, session)
    await events.emit({ type, actor, resource: { type: 'link', id: before._id.toHexString() }, data: { code: next.code, url: next.url, origin: next.origin }, changed }, session)
    return after as LinkRow
  }

  /** By external_id: changes the link that has it, else makes one. @throws what create and update throw */
  async function upsert (actor: Actor, input: NewLink): Promise<{ link: LinkRow, created: boolean }> {
    if (input.external_id === undefined || input.external_id === null) return create(actor, input)
    const known = await links.findOne({ account_id: account(actor), external_id: input.external_id }, { _id: 1 }).lean()
    if (known === null) return create(actor, input)
    const { custom_code: code, on_conflict: _conflict, reuse: _reuse, ...change } = input
    return { link: await update(actor, known._id.toHexString(), { ...change, ...(code !== undefined && { code }) }), created: false }
  }

  return { list, stream, get, lookup, tags, create, update, archive, erase, upsert }
}
export type LinksService = ReturnType<typeof createLinksService>

type Changed = Record<string, { old: unknown, new: unknown }>
const ANY_ACCOUNT = { crossTenant: 'codes are unique over all accounts' }

const date = (text: string | null | undefined): Date | null => text === undefined || text === null ? null : new Date(text)
const isDuplicateOf = (error: unknown, field: string): boolean => {
  const { code, keyPattern } = error as { code?: number, keyPattern?: Record<string, unknown> }
  return code === 11000 && keyPattern !== undefined && field in keyPattern
}

function difference (before: LinkRow, set: Partial<LinkRow>): Changed {
  const plain = (value: unknown) => JSON.stringify(value) ?? 'null'
  return Object.fromEntries(Object.entries(set)
    .map(([key, value]) => [key, { old: (before as Record<string, unknown>)[key] ?? null, new: value ?? null }] as const)
    .filter(([, change]) => plain(change.old) !== plain(change.new)))
}
