import type { FastifyInstance } from 'fastify'
import type { Account, OwnRecord } from '../helper.js'
import { accountRecords } from './accounts.js'
import { oauthRecords } from './oauth.js'
import { activityRecords } from './activities.js'
import { sharedRecords } from './shared.js'
import { urlRecords } from './url.js'
import { userRecords } from './users.js'

/** One file per module: makes a record of each of its kinds through the API. The generated tables call foreign routes with their ids. */
const MODULES = [activityRecords, accountRecords, oauthRecords, urlRecords, sharedRecords, userRecords]

export async function ownRecords (app: FastifyInstance, account: Account): Promise<OwnRecord[]> {
  const records: OwnRecord[] = []
  for (const make of MODULES) records.push(...await make(app, account))
  return records
}
