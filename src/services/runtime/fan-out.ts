import type { EventModel } from '../../models/platform.js'
import type { ModelOf } from '../../models/define.js'
import type { Clock } from '../kit.js'
import type { Transactions } from '../transactions.js'
import type { NewOutboxRow, OutboxService } from './outbox.js'

export type EventRecord = {
  _id: string, type: string, account_id: { toHexString (): string } | null, resource: { type: string, id: string }, data: unknown, changed: unknown,
  actor: { type: string, id: string | null, impersonator_id: string | null }, request_id: string | null, created_at: Date
}

/** Listens to events: returns the outbox rows that this event makes, none when it is not interested. */
export type Consumer = { name: string, rows (event: EventRecord): Promise<Omit<NewOutboxRow, 'dedupeId' | 'eventId'>[]> }

type Deps = { events: ModelOf<typeof EventModel>, outbox: Pick<OutboxService, 'add'>, transactions: Transactions, clock: Clock, worker: string, leaseMs: number }

const BATCH = 200

/** Turns events into outbox rows, one per consumer under `<event id>:<consumer>`: doing it twice adds nothing. */
export function createFanOut ({ events, outbox, transactions, clock }: Deps) {
  const consumers: Consumer[] = []

  async function rowsOf (event: EventRecord): Promise<NewOutboxRow[]> {
    const perConsumer = await Promise.all(consumers.map(async consumer => {
      const rows = await consumer.rows(event)
      return rows.map((row, index) => ({ ...row, eventId: event._id, dedupeId: `${event._id}:${consumer.name}${index === 0 ? '' : `:${index}`}` }))
    }))
    return perConsumer.flat()
  }

  async function batch (): Promise<number> {
    const found = await events.find({ state: 'new' }).sort({ _id: 1 }).limit(BATCH).lean() as unknown as EventRecord[]
    if (found.length === 0) return 0
    const rows = (await Promise.all(found.map(rowsOf))).flat()
    await transactions.run(async session => {
      await outbox.add(rows, session)
      await events.updateMany({ _id: { $in: found.map(event => event._id) }, state: 'new' }, { $set: { state: 'fanned', lease_until: clock.now() } }, { session })
    })
    return found.length
  }

  return {
    listen (consumer: Consumer): void { consumers.push(consumer) },
    async drain (signal: AbortSignal): Promise<number> {
      let total = 0
      while (!signal.aborted) {
        const count = await batch()
        total += count
        if (count < BATCH) break
      }
      return total
    }
  }
}
