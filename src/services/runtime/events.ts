import type { ClientSession } from 'mongoose'
import { Types } from 'mongoose'
import { EVENT_TYPES } from '../../schemas/events.js'
import type { EventModel } from '../../models/platform.js'
import type { ModelOf } from '../../models/define.js'
import type { Actor, Clock, Ids } from '../kit.js'
import { afterCommit, demandTransaction } from '../transactions.js'

export type NewEvent = {
  type: string
  actor: Pick<Actor, 'type' | 'userId' | 'accountId' | 'parentAccount' | 'impersonatorId' | 'requestId'> | 'system' | 'visitor'
  /** the account that the event belongs to; default the actor's */
  accountId?: string | null
  resource: { type: string, id: string }
  data?: Record<string, unknown>
  changed?: Record<string, { old: unknown, new: unknown }>
}

export type Events = {
  /**
   * Writes the event in the transaction of its cause; a rolled-back change leaves none.
   * @throws without a transaction, and for a type that the catalogue does not know
   */
  emit (event: NewEvent, session: ClientSession): Promise<string>
  emitMany (events: readonly NewEvent[], session: ClientSession): Promise<string[]>
}

type Deps = { events: Pick<ModelOf<typeof EventModel>, 'insertMany'>, clock: Clock, ids: Ids, wake: (topic: string) => void }

const objectId = (id: string | null | undefined) => id === null || id === undefined ? null : new Types.ObjectId(id)

export function createEvents ({ events, clock, ids, wake }: Deps): Events {
  function toRow ({ type, actor, accountId, resource, data, changed }: NewEvent, now: Date) {
    if (!EVENT_TYPES.has(type)) throw new Error(`${type} is not in the catalogue of events`)
    const who = typeof actor === 'string' ? null : actor
    return {
      _id: `evt_${ids.ulid(now)}`,
      type,
      account_id: objectId(accountId ?? who?.accountId),
      parent_account: objectId(who?.parentAccount),
      actor: { type: who?.type ?? actor as 'system' | 'visitor', id: who?.userId ?? null, impersonator_id: who?.impersonatorId ?? null },
      resource,
      data: { id: resource.id, ...data },
      changed: changed ?? null,
      request_id: who?.requestId ?? null,
      state: 'new' as const,
      lease_until: null,
      worker: null,
      lease_no: 0,
      created_at: now
    }
  }

  async function emitMany (list: readonly NewEvent[], session: ClientSession): Promise<string[]> {
    demandTransaction(session, 'an event')
    const now = clock.now()
    const rows = list.map(event => toRow(event, now))
    await events.insertMany(rows, { session })
    afterCommit(session, () => wake('events'))
    return rows.map(row => row._id)
  }

  return {
    emitMany,
    async emit (event, session) {
      const [id] = await emitMany([event], session)
      return id!
    }
  }
}
