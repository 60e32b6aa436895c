import type { Static } from '@sinclair/typebox'
import type { NewUser, bulkUsers } from '../../schemas/users.js'
import { AuthError } from '../auth/errors.js'
import { ServiceError, type Actor } from '../kit.js'
import { runBulk, type BulkResult } from '../resource/bulk.js'
import { emailKeyOf } from './row.js'
import { oid } from './people.js'
import type { Deps } from './types.js'
import type { HandOver } from './reassign.js'
import type { Team } from './team.js'

type Body = Static<typeof bulkUsers.body>
const hex = ({ _id }: { _id: { toHexString (): string } }) => _id.toHexString()
const fieldsOf = (item: NewUser) => Object.fromEntries(Object.entries(item).filter(([key]) => FIELDS.has(key)))
const FIELDS = new Set(['first_name', 'last_name', 'job_title', 'phone'])
const NEEDS = { create: ['users.create'], update: ['users.update'], upsert: ['users.create', 'users.update'], delete: ['users.delete'] } as const

/** Rows of `POST /v1/users/bulk`: each is its own call of the service, with the same checks and events. */
export const createUserBulk = ({ users }: Pick<Deps, 'users'>, team: Team, handOver: HandOver) => async (actor: Actor, body: Body): Promise<BulkResult> => {
  if (!NEEDS[body.operation].every(scope => actor.can(scope))) throw AuthError.SCOPE_REQUIRED().with({ data: { required: NEEDS[body.operation] } })
  switch (body.operation) {
    case 'create': return runBulk(body.items, async item => ({ status: 'created', id: hex((await team.create(actor, item)).row) }))
    case 'update': return runBulk(body.items, async ({ id, ...change }) => ({ status: 'updated', id: hex(await team.update(actor, id, change)) }))
    case 'delete': return runBulk(body.items, async ({ id }) => ({ status: 'deleted', id: (await handOver.remove(actor, id, undefined)).id }))
    case 'upsert': return runBulk(body.items, async item => {
      try {
        return { status: 'created', id: hex((await team.create(actor, item)).row) }
      } catch (error) {
        if (!(error instanceof ServiceError) || error.code !== 'USER_EXISTS') throw error
        const known = await users.findOne({ account_id: oid(actor.accountId), email_key: emailKeyOf(item.email) }, { _id: 1 }).lean()
        if (known === null) throw error
        return { status: 'updated', id: hex(await team.update(actor, hex(known), fieldsOf(item))) }
      }
    })
  }
}
