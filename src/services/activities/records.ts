import { Types, type ClientSession, type Connection } from 'mongoose'
import type { Actor } from '../kit.js'

export type RecordKind = 'contact' | 'deal'
/** What the timeline must know of contacts and deals; the CRM may bring its own. */
export type CrmRecords = {
  /** clause on `contact` and `deal` of what the caller may see; null: everything of the account */
  sight (actor: Actor): Promise<Record<string, unknown> | null>
  sees (actor: Actor, kind: RecordKind, id: string): Promise<boolean>
  /** ids under which a row is found with include_related */
  related (accountId: string, contact: string | null, deal: string | null): Promise<Types.ObjectId[]>
  touch (accountId: string, contact: string | null, deal: string | null, at: Date, session: ClientSession): Promise<void>
}

const COLLECTION = { contact: 'crm.contacts', deal: 'crm.deals' } as const

/**
 * Reads the CRM's own collections by its rule (crm.md 5): a caller is restricted when he is no admin, not the owner and his, or else the account's,
 * visibility is `own`; then `visible_to` of a record must name him.
 */
export function recordsOf (mongo: Connection): CrmRecords {
  const oid = (id: string) => new Types.ObjectId(id)

  async function restricted (actor: Actor): Promise<boolean> {
    if (actor.permissions.has('admin') || actor.isOwner || actor.type === 'key') return false
    const [user, account] = await Promise.all([
      mongo.collection('_users').findOne({ _id: oid(actor.userId) }, { projection: { 'preferences.crm_visibility': 1 } }),
      mongo.collection('_accounts').findOne({ _id: oid(actor.accountId) }, { projection: { 'crm.visibility': 1 } })
    ])
    return ((user?.preferences as { crm_visibility?: string } | undefined)?.crm_visibility ?? (account?.crm as { visibility?: string } | undefined)?.visibility) === 'own'
  }

  const filterOf = async (actor: Actor) => ({
    account_id: oid(actor.accountId), is_deleted: { $ne: true }, ...(await restricted(actor) && { visible_to: oid(actor.userId) })
  })

  return {
    async sight (actor) {
      if (!await restricted(actor)) return null
      const filter = await filterOf(actor)
      const [contacts, deals] = await Promise.all([mongo.collection(COLLECTION.contact).distinct('_id', filter), mongo.collection(COLLECTION.deal).distinct('_id', filter)])
      return { $or: [{ contact: { $in: contacts } }, { deal: { $in: deals } }] }
    },
    sees: async (actor, kind, id) => await mongo.collection(COLLECTION[kind]).findOne({ ...await filterOf(actor), _id: oid(id) }, { projection: { _id: 1 } }) !== null,
    async related (accountId, contact, deal) {
      const [person, row] = await Promise.all([
        contact === null ? null : mongo.collection(COLLECTION.contact).findOne({ account_id: oid(accountId), _id: oid(contact) }, { projection: { 'associations.contact': 1 } }),
        deal === null ? null : mongo.collection(COLLECTION.deal).findOne({ account_id: oid(accountId), _id: oid(deal) }, { projection: { person: 1, business: 1 } })
      ])
      const associations = (person?.associations ?? []) as { contact: Types.ObjectId }[]
      return [...associations.map(({ contact: business }) => business), row?.person as Types.ObjectId, row?.business as Types.ObjectId].filter(id => id instanceof Types.ObjectId)
    },
    async touch (accountId, contact, deal, at, session) {
      for (const [kind, id] of [['contact', contact], ['deal', deal]] as const) {
        if (id !== null) await mongo.collection(COLLECTION[kind]).updateOne({ account_id: oid(accountId), _id: oid(id) }, { $max: { last_activity_at: at } }, { session })
      }
    }
  }
}
