import { change, refuse, type Call, type Door, type StripeObject } from './core.js'
import type { Params } from './form.js'
import { paymentDoors } from './payments.js'

type Resource = {
  /** name in the path */
  path: string
  /** type of the object and of its events */
  type: string
  prefix: string
  filters: readonly string[]
  required?: readonly string[]
  defaults: () => Record<string, StripeObject[string]>
  deletable: boolean
}

const RESOURCES: readonly Resource[] = [
  {
    path: 'customers',
    type: 'customer',
    prefix: 'cus',
    filters: ['email'],
    deletable: true,
    defaults: () => ({
      address: null,
      balance: 0,
      currency: null,
      default_source: null,
      delinquent: false,
      description: null,
      email: null,
      name: null,
      phone: null,
      invoice_settings: { default_payment_method: null }
    })
  },
  {
    path: 'products',
    type: 'product',
    prefix: 'prod',
    filters: ['active'],
    required: ['name'],
    deletable: true,
    defaults: () => ({ active: true, default_price: null, description: null, images: [], type: 'service', updated: 0 })
  },
  {
    path: 'prices',
    type: 'price',
    prefix: 'price',
    filters: ['active', 'product', 'type', 'currency'],
    required: ['currency', 'product'],
    deletable: false,
    defaults: () => ({ active: true, billing_scheme: 'per_unit', nickname: null, recurring: null, type: 'one_time' })
  },
  {
    path: 'webhook_endpoints',
    type: 'webhook_endpoint',
    prefix: 'we',
    filters: [],
    required: ['url', 'enabled_events'],
    deletable: true,
    defaults: () => ({ api_version: null, application: null, description: null, status: 'enabled' })
  }
]

/** No one hears of a change of the endpoints themselves. */
const SILENT = new Set(['webhook_endpoint'])

function require (call: Call, names: readonly string[]) {
  for (const name of names) {
    if (call.params[name] === undefined || call.params[name] === null) {
      throw refuse(400, 'invalid_request_error', `Missing required param: ${name}.`, { code: 'parameter_missing', param: name })
    }
  }
}

function doorsOf ({ path, type, prefix, filters, required = [], defaults, deletable }: Resource): Door[] {
  const told = (call: Call, act: string, object: StripeObject) => {
    if (!SILENT.has(type)) call.emit(`${type}.${act}`, object)
    return object
  }
  const doors: Door[] = [
    {
      method: 'POST',
      path: `/v1/${path}`,
      handle (call) {
        require(call, required)
        const fields: Params = { ...defaults() }
        if (type === 'price' && call.params.recurring !== undefined) fields.type = 'recurring'
        if (type === 'webhook_endpoint') fields.secret = `whsec_${call.store.newId('twin')}`
        return told(call, 'created', change(call.store.add(call.account, prefix, type, fields), call.params))
      }
    },
    { method: 'GET', path: `/v1/${path}`, handle: call => call.store.page(call.account, type, call.params, filters) },
    { method: 'GET', path: `/v1/${path}/:id`, handle: call => call.store.get(call.account, type, call.path.id) },
    { method: 'POST', path: `/v1/${path}/:id`, handle: call => told(call, 'updated', change(call.store.get(call.account, type, call.path.id), call.params)) }
  ]
  if (!deletable) return doors
  return [...doors, {
    method: 'DELETE',
    path: `/v1/${path}/:id`,
    handle (call) {
      told(call, 'deleted', call.store.remove(call.account, type, call.path.id ?? ''))
      return { id: call.path.id, object: type, deleted: true }
    }
  }]
}

const ACCOUNT = {
  id: 'acct_twin', object: 'account', charges_enabled: true, payouts_enabled: true, details_submitted: true, country: 'US', default_currency: 'usd'
}

/** What the twin plays so far. */
export const baseDoors = (): Door[] => [
  ...RESOURCES.flatMap(doorsOf),
  ...paymentDoors,
  { method: 'GET', path: '/v1/events', handle: call => call.store.page(call.account, 'event', call.params, ['type']) },
  { method: 'GET', path: '/v1/events/:id', handle: call => call.store.get(call.account, 'event', call.path.id) },
  { method: 'GET', path: '/v1/account', handle: () => ACCOUNT }
]
