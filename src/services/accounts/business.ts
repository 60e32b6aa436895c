import { createHash } from 'node:crypto'
import { Types, type ClientSession } from 'mongoose'
import type { AccountModel } from '../../models/accounts.js'
import type { NewBusiness } from '../../schemas/accounts.js'
import { fold } from '../filters/terms.js'

export type BusinessData = NewBusiness & { image?: string | null }
export type Business = { id: Types.ObjectId, fields: BusinessData }

/**
 * The business contacts behind accounts, owned by the CRM: found or made for a main account, freed when an account that nobody used is removed.
 * `account_id` is the account that holds the contact: the main account of a child, a main account itself.
 */
export type BusinessContacts = {
  upsert (input: { account_id: Types.ObjectId, fields: BusinessData, account?: Types.ObjectId }, session: ClientSession): Promise<Business>
  find (input: { account_id: Types.ObjectId, id: Types.ObjectId }, session?: ClientSession): Promise<Business | null>
  update (input: { account_id: Types.ObjectId, id: Types.ObjectId, fields: Partial<BusinessData> }, session: ClientSession): Promise<void>
  free (input: { account_id: Types.ObjectId, id: Types.ObjectId }, session: ClientSession): Promise<void>
}

/** One business, one id: the same mail address, site or phone below one main account always names the same one. */
function idOf (accountId: Types.ObjectId, { email, website, phone }: BusinessData): Types.ObjectId {
  const key = email ?? website ?? phone ?? null
  if (key === null) return new Types.ObjectId()
  return new Types.ObjectId(createHash('sha256').update(`${accountId.toHexString()}:${fold(key).replace(/^https?:\/\/(www\.)?/, '').replace(/\/+$/, '')}`).digest('hex').slice(0, 24))
}

/** Without a CRM the account's own fields are the business; its id keeps one business from getting two accounts. */
export function businessOnAccount (accounts: AccountModel): BusinessContacts {
  return {
    async upsert ({ account_id: holder, fields }) { return { id: idOf(holder, fields), fields } },
    async find ({ account_id: holder, id }, session) {
      const row = await accounts.findOne({ business: id, $or: [{ parent_account: holder }, { _id: holder }] }, null, { session }).lean()
      return row === null
        ? null
        : { id, fields: { name: row.name, email: row.email, phone: row.phone, website: row.website, address: row.address, social: row.social, image: row.image } as BusinessData }
    },
    async update () {},
    async free () {}
  }
}
