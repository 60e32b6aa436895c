import { randomBytes } from 'node:crypto'
import type { Clock } from '../../kit.js'
import type { TwinState } from '../../twin-state.js'
import type { Params, Value } from './form.js'

/** An object of the API; `object` names its type. */
export type StripeObject = { id: string, object: string, created: number, [name: string]: Value }

export type StoredState = {
  secret_key: string
  webhook_secret: string
  /** seconds by which the twin's time runs ahead */
  ahead: number
  /** by account ('' is the platform) and type */
  objects: Record<string, StripeObject[]>
  idempotency: Record<string, { hash: string, status: number, body: unknown }>
}

/** A refusal in the API's own shape. */
export class ApiRefusal extends Error {
  constructor (readonly status: number, readonly error: Readonly<Record<string, unknown>>) { super(String(error.message)) }
}

export const refuse = (status: number, type: string, message: string, more: Readonly<Record<string, unknown>> = {}) =>
  new ApiRefusal(status, { type, message, ...more })

/** One call, as a door of the twin sees it. */
export type Call = {
  /** parts of the path that the door names */
  path: Readonly<Record<string, string>>
  params: Params
  /** `Stripe-Account`, '' for the platform */
  account: string
  store: Store
  /** Something happened: becomes an event and is told to the endpoints. */
  emit (type: string, object: StripeObject): void
}

/** A door of the twin; later modules add theirs to the list. */
export type Door = { method: 'GET' | 'POST' | 'DELETE', path: string, handle: (call: Call) => unknown }

const ALPHABET = '0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

const newId = (prefix: string) => prefix + '_' + Array.from(randomBytes(16), byte => ALPHABET.charAt(byte % ALPHABET.length)).join('')

/** The twin's objects of all accounts. */
export function createStore (state: TwinState<StoredState>, clock: Clock) {
  function listOf (account: string, type: string): StripeObject[] {
    state.value.objects[`${account}/${type}`] ??= []
    return state.value.objects[`${account}/${type}`] ?? []
  }

  const store = {
    now: () => Math.floor(clock.now().getTime() / 1_000) + state.value.ahead,
    newId,
    add (account: string, prefix: string, type: string, fields: Params): StripeObject {
      const object: StripeObject = { livemode: false, metadata: {}, ...fields, id: newId(prefix), object: type, created: store.now() }
      listOf(account, type).push(object)
      return object
    },
    /** @throws ApiRefusal as the API does for an unknown id */
    get (account: string, type: string, id: Value | undefined): StripeObject {
      const found = listOf(account, type).find(one => one.id === id)
      if (found === undefined) throw refuse(404, 'invalid_request_error', `No such ${type}: '${String(id)}'`, { code: 'resource_missing', param: 'id' })
      return found
    },
    remove (account: string, type: string, id: string): StripeObject {
      const found = store.get(account, type, id)
      listOf(account, type).splice(listOf(account, type).indexOf(found), 1)
      return found
    },
    all: (account: string, type: string): readonly StripeObject[] => listOf(account, type),
    /** A page of a list, newest first, filtered by the given fields. */
    page (account: string, type: string, params: Params, filters: readonly string[]) {
      const wanted = filters.filter(name => params[name] !== undefined)
      const rows = listOf(account, type).filter(one => wanted.every(name => one[name] === params[name])).reverse()
      const limit = Math.min(Math.max(Number(params.limit ?? 10), 1), 100)
      const after = params.starting_after === undefined ? 0 : rows.findIndex(one => one.id === params.starting_after) + 1
      const before = params.ending_before === undefined ? rows.length : rows.findIndex(one => one.id === params.ending_before)
      const data = params.ending_before === undefined ? rows.slice(after, after + limit) : rows.slice(Math.max(before - limit, 0), before)
      const more = params.ending_before === undefined ? after + limit < rows.length : before - limit > 0
      return { object: 'list', url: `/v1/${type}s`, has_more: more, data }
    }
  }
  return store
}

export type Store = ReturnType<typeof createStore>

/** Changes the fields that are given; metadata is merged, an empty value removes its key. What the API alone sets stays. */
export function change (object: StripeObject, { metadata, id: _id, object: _object, created: _created, ...fields }: Params): StripeObject {
  Object.assign(object, fields)
  if (typeof metadata === 'object' && metadata !== null) {
    const merged = Object.entries({ ...object.metadata as Params, ...metadata as Params }).filter(([, value]) => value !== null)
    object.metadata = Object.fromEntries(merged)
  }
  return object
}
