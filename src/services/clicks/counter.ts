import { createHmac } from 'node:crypto'
import { Types, type ClientSession } from 'mongoose'
import type { ClickBatchModel, ClickModel, ClickStatModel, LinkModel, VisitorModel, VisitorSaltModel } from '../../models/url.js'
import type { ModelOf } from '../../models/define.js'
import type { Platform } from '../platform.js'
import type { Segment } from './journal.js'
import { readRecord, type ClickRecord } from './record.js'
import { readVisit, type Visit } from './visit.js'

type Models = {
  links: LinkModel, clicks: ClickModel, stats: ClickStatModel, visitors: ModelOf<typeof VisitorModel>, salts: ModelOf<typeof VisitorSaltModel>,
  batches: ModelOf<typeof ClickBatchModel>
}

type Counted = { record: ClickRecord, visit: Visit, unique: boolean, id: string }
type Tally = { clicks: number, uniques: number, bots: number }
type LinkTally = Tally & { accountId: string, lastAt: number }

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Clicks per transaction; a segment that grew while the database was away is counted in parts. */
const PART = 2_000

/**
 * Writes segments of the journal into the database, each exactly once. It goes to the driver directly: rows are typed here already, and mongoose's
 * casting of ten thousand of them would cost more than all the redirects. A batch holds clicks of many accounts; each write names its own.
 */
export function createClickCounter (platform: Platform, models: Models) {
  const { transactions, clock, ids, config } = platform
  const salts = new Map<string, Promise<string>>()

  /** @throws when the database is away; the segment is then counted later */
  async function count (segment: Segment): Promise<void> {
    for (let part = 0; part * PART < segment.lines.length; part++) {
      const id = `${segment.id}:${part}`
      const records = segment.lines.slice(part * PART, (part + 1) * PART).flatMap(line => readRecord(line) ?? [])
      if (records.length > 0) await transactions.runAlone(session => countPart(id, segment.id, records, session))
    }
  }

  async function countPart (id: string, segmentId: string, records: ClickRecord[], session: ClientSession): Promise<void> {
    const known = await models.batches.findById(id, { _id: 1 }, { session }).lean()
    if (known !== null) return
    const counted = await markUnique(records, segmentId, session)
    await models.batches.collection.insertOne({ _id: id as never, clicks: counted.length, at: clock.now() }, { session })
    await models.clicks.collection.insertMany(counted.map(toClick) as never[], { session })
    await addTotals(counted, session)
    await addStats(counted, session)
  }

  /** A person's first click of the day on a link is unique; who that was, only today's salt knows. */
  async function markUnique (records: ClickRecord[], segmentId: string, session: ClientSession): Promise<Counted[]> {
    const counted = records.map(record => ({ record, visit: readVisit(record), unique: false, id: `${segmentId}:${record.seq}` }))
    const firsts = new Map<string, { click: Counted, day: string, visitor: string }>()
    for (const click of counted) {
      if (click.visit.bot) continue
      const day = new Date(click.record.at).toISOString().slice(0, 10)
      const visitor = createHmac('sha256', await saltOf(day)).update(`${click.record.ip}\n${click.record.userAgent}`).digest('base64url').slice(0, 22)
      const key = `${click.record.linkId}:${day}:${visitor}`
      if (!firsts.has(key)) firsts.set(key, { click, day, visitor })
    }
    const list = [...firsts.values()]
    if (list.length === 0) return counted
    const { upsertedIds } = await models.visitors.collection.bulkWrite(list.map(({ click, day, visitor }) => ({
      updateOne: {
        filter: { link_id: new Types.ObjectId(click.record.linkId), day, visitor },
        update: { $setOnInsert: { expires_at: new Date(Date.parse(day) + 2 * DAY) } },
        upsert: true
      }
    })) as never, { session, ordered: true })
    for (const index of Object.keys(upsertedIds)) list[Number(index)]!.click.unique = true
    return counted
  }

  function saltOf (day: string): Promise<string> {
    for (const old of salts.keys()) if (old !== day && salts.size > 2) salts.delete(old)
    const known = salts.get(day) ?? loadSalt(day)
    salts.set(day, known)
    known.catch(() => salts.delete(day))
    return known
  }

  async function loadSalt (day: string): Promise<string> {
    const row = await models.salts.findOneAndUpdate(
      { _id: day }, { $setOnInsert: { salt: ids.token(32), expires_at: new Date(Date.parse(day) + 2 * DAY) } }, { upsert: true, returnDocument: 'after' }
    ).lean()
    return row!.salt
  }

  const toClick = ({ record, visit, unique, id }: Counted) => ({
    _id: id, account_id: new Types.ObjectId(record.accountId), link_id: new Types.ObjectId(record.linkId), at: new Date(record.at), bot: visit.bot, unique,
    country: visit.country, region: null, city: null, device: visit.device, browser: visit.browser, os: visit.os, referrer: visit.referrer, language: visit.language,
    utm: visit.utm, rule: null, variant: null, qr: visit.qr, expires_at: new Date(record.at + config.CLICK_RETENTION_DAYS * DAY)
  })

  async function addTotals (counted: Counted[], session: ClientSession): Promise<void> {
    const totals = new Map<string, LinkTally>()
    for (const { record, visit, unique } of counted) {
      const tally = totals.get(record.linkId) ?? { clicks: 0, uniques: 0, bots: 0, accountId: record.accountId, lastAt: 0 }
      totals.set(record.linkId, tally)
      add(tally, visit.bot, unique)
      if (!visit.bot) tally.lastAt = Math.max(tally.lastAt, record.at)
    }
    await models.links.collection.bulkWrite([...totals].map(([linkId, tally]) => ({
      updateOne: {
        filter: { account_id: new Types.ObjectId(tally.accountId), _id: new Types.ObjectId(linkId) },
        update: {
          $inc: { visits: tally.clicks, unique_visits: tally.uniques, bot_visits: tally.bots },
          ...(tally.lastAt > 0 && { $max: { last_visit_at: new Date(tally.lastAt) } })
        }
      }
    })) as never, { session, ordered: true })
  }

  async function addStats (counted: Counted[], session: ClientSession): Promise<void> {
    const tallies = new Map<string, Tally & { accountId: string, linkId: string, hour: number, dim: string, value: string }>()
    for (const { record, visit, unique } of counted) {
      const hour = Math.floor(record.at / HOUR) * HOUR
      for (const [dim, value] of dimensions(visit)) {
        const key = `${record.linkId}\n${hour}\n${dim}\n${value}`
        const tally = tallies.get(key) ?? { clicks: 0, uniques: 0, bots: 0, accountId: record.accountId, linkId: record.linkId, hour, dim, value }
        tallies.set(key, tally)
        add(tally, visit.bot, unique)
      }
    }
    await models.stats.collection.bulkWrite([...tallies.values()].map(({ accountId, linkId, hour, dim, value, clicks, uniques, bots }) => ({
      updateOne: {
        filter: { link_id: new Types.ObjectId(linkId), hour: new Date(hour), dim, value },
        update: { $inc: { clicks, uniques, bots }, $setOnInsert: { account_id: new Types.ObjectId(accountId) } },
        upsert: true
      }
    })) as never, { session, ordered: true })
  }

  return { count }
}
export type ClickCounter = ReturnType<typeof createClickCounter>

function add (tally: Tally, bot: boolean, unique: boolean): void {
  if (bot) tally.bots++
  else tally.clicks++
  if (unique) tally.uniques++
}

/** Clicks without a value are the total less those with one. */
const named = (dim: string, value: string | null | undefined): [string, string][] => value === null || value === undefined ? [] : [[dim, value]]

function dimensions (visit: Visit): [string, string][] {
  return [
    ['total', ''], ['country', visit.country], ['device', visit.device], ['browser', visit.browser], ['os', visit.os], ['referrer', visit.referrer],
    ['language', visit.language], ...named('utm_source', visit.utm?.source), ...named('utm_medium', visit.utm?.medium), ...named('utm_campaign', visit.utm?.campaign),
    ...(visit.qr ? [['qr', 'true'] as [string, string]] : [])
  ]
}
