import { change, refuse, type Call, type Door, type StripeObject } from './core.js'

/** Test cards that fail: code and reason of the decline. */
const DECLINES: Readonly<Record<string, readonly [string, string]>> = {
  pm_card_chargeDeclined: ['card_declined', 'generic_decline'],
  tok_chargeDeclined: ['card_declined', 'generic_decline'],
  pm_card_chargeDeclinedInsufficientFunds: ['card_declined', 'insufficient_funds']
}
const ASKS_FOR_CONFIRMATION = 'pm_card_authenticationRequired'

function start (call: Call): StripeObject {
  const { amount, currency } = call.params
  if (typeof amount !== 'number' || amount < 1) throw refuse(400, 'invalid_request_error', 'Invalid positive integer', { code: 'parameter_invalid_integer', param: 'amount' })
  if (typeof currency !== 'string') throw refuse(400, 'invalid_request_error', 'Missing required param: currency.', { code: 'parameter_missing', param: 'currency' })
  const { confirm: _confirm, off_session: _off, ...fields } = call.params
  const intent = call.store.add(call.account, 'pi', 'payment_intent', {
    amount_received: 0, customer: null, description: null, latest_charge: null, next_action: null, payment_method: null, status: 'requires_payment_method'
  })
  intent.client_secret = `${intent.id}_secret_${call.store.newId('s').slice(2)}`
  change(intent, fields)
  if (intent.payment_method !== null) intent.status = 'requires_confirmation'
  call.emit('payment_intent.created', intent)
  return intent
}

function confirm (call: Call, intent: StripeObject): StripeObject {
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    throw refuse(400, 'invalid_request_error', `This PaymentIntent's status is ${String(intent.status)}`, { code: 'payment_intent_unexpected_state', payment_intent: intent })
  }
  const card = String(call.params.payment_method ?? intent.payment_method ?? '')
  if (card === '') throw refuse(400, 'invalid_request_error', 'A payment method is missing', { code: 'payment_intent_unexpected_state', payment_intent: intent })
  const decline = DECLINES[card]
  if (decline !== undefined) return declined(call, intent, decline)
  if (card === ASKS_FOR_CONFIRMATION && intent.status !== 'requires_action') return asked(call, intent)
  return paid(call, intent, card)
}

function declined (call: Call, intent: StripeObject, [code, reason]: readonly [string, string]): never {
  change(intent, { status: 'requires_payment_method', payment_method: null })
  call.emit('payment_intent.payment_failed', intent)
  throw refuse(402, 'card_error', 'Your card was declined.', { code, decline_code: reason, payment_intent: intent })
}

function asked (call: Call, intent: StripeObject): StripeObject {
  if (call.params.off_session === true) {
    change(intent, { status: 'requires_payment_method' })
    call.emit('payment_intent.payment_failed', intent)
    throw refuse(402, 'card_error', 'This payment needs a confirmation.', { code: 'authentication_required', decline_code: 'authentication_required', payment_intent: intent })
  }
  change(intent, { status: 'requires_action', payment_method: ASKS_FOR_CONFIRMATION, next_action: { type: 'use_stripe_sdk' } })
  call.emit('payment_intent.requires_action', intent)
  return intent
}

function paid (call: Call, intent: StripeObject, card: string): StripeObject {
  const charge = call.store.add(call.account, 'ch', 'charge', {
    amount: intent.amount ?? 0,
    amount_refunded: 0,
    currency: intent.currency ?? 'usd',
    customer: intent.customer ?? null,
    payment_intent: intent.id,
    payment_method: card,
    paid: true,
    refunded: false,
    disputed: false,
    status: 'succeeded',
    metadata: intent.metadata ?? {}
  })
  change(intent, { status: 'succeeded', payment_method: card, amount_received: intent.amount ?? 0, latest_charge: charge.id, next_action: null })
  call.emit('charge.succeeded', charge)
  call.emit('payment_intent.succeeded', intent)
  return intent
}

function refund (call: Call): StripeObject {
  const intent = call.params.payment_intent === undefined ? null : call.store.get(call.account, 'payment_intent', call.params.payment_intent)
  const charge = call.store.get(call.account, 'charge', intent?.latest_charge ?? call.params.charge)
  const left = Number(charge.amount) - Number(charge.amount_refunded)
  const amount = Number(call.params.amount ?? left)
  if (amount > left || left === 0) {
    throw refuse(400, 'invalid_request_error', left === 0 ? 'Charge has already been refunded.' : 'Refund amount is greater than the unrefunded amount.', {
      code: left === 0 ? 'charge_already_refunded' : 'amount_too_large', param: 'amount'
    })
  }
  const made = call.store.add(call.account, 're', 'refund', {
    amount, currency: charge.currency ?? null, charge: charge.id, payment_intent: charge.payment_intent ?? null, reason: call.params.reason ?? null, status: 'succeeded', metadata: call.params.metadata ?? {}
  })
  change(charge, { amount_refunded: Number(charge.amount_refunded) + amount, refunded: amount === left })
  call.emit('charge.refunded', charge)
  call.emit('refund.created', made)
  return made
}

const intentOf = (call: Call) => call.store.get(call.account, 'payment_intent', call.path.id)

export const paymentDoors: readonly Door[] = [
  {
    method: 'POST',
    path: '/v1/payment_intents',
    handle (call) {
      const intent = start(call)
      return call.params.confirm === true ? confirm(call, intent) : intent
    }
  },
  { method: 'GET', path: '/v1/payment_intents', handle: call => call.store.page(call.account, 'payment_intent', call.params, ['customer']) },
  { method: 'GET', path: '/v1/payment_intents/:id', handle: intentOf },
  { method: 'POST', path: '/v1/payment_intents/:id', handle: call => change(intentOf(call), call.params) },
  { method: 'POST', path: '/v1/payment_intents/:id/confirm', handle: call => confirm(call, intentOf(call)) },
  {
    method: 'POST',
    path: '/v1/payment_intents/:id/cancel',
    handle (call) {
      const intent = intentOf(call)
      if (intent.status === 'succeeded') throw refuse(400, 'invalid_request_error', 'It has succeeded', { code: 'payment_intent_unexpected_state' })
      change(intent, { status: 'canceled', canceled_at: call.store.now() })
      call.emit('payment_intent.canceled', intent)
      return intent
    }
  },
  { method: 'GET', path: '/v1/charges', handle: call => call.store.page(call.account, 'charge', call.params, ['customer', 'payment_intent']) },
  { method: 'GET', path: '/v1/charges/:id', handle: call => call.store.get(call.account, 'charge', call.path.id) },
  { method: 'POST', path: '/v1/refunds', handle: refund },
  { method: 'GET', path: '/v1/refunds/:id', handle: call => call.store.get(call.account, 'refund', call.path.id) }
]
