import { randomBytes } from 'node:crypto'
import { answeredWith, type Method } from '../http/index.js'
import type { Clock } from '../kit.js'

export type SampleRequest = {
  params: Record<string, string>
  query: URLSearchParams
  body: Readonly<Record<string, unknown>> | undefined
  accountId: string | undefined
}

export type Sample = { method: Method, pattern: string, answer: (request: SampleRequest) => unknown }

const id = (prefix: string) => prefix + randomBytes(8).toString('hex')
const ok = (data: unknown) => ({ success: true, data })
const notFound = (what: string) => answeredWith(404, { upstream: 'external-api', body: { success: false, message: `${what} not found` } })

/** Integrations that are connected in the twin from the start. */
const CONNECTED = ['google_analytics', 'google_ads', 'google_business', 'facebook']

/** What the twin answers, in the shapes of the integrations. Each twin has its own state. */
export function samples (clock: Clock): Sample[] {
  const connected = new Set(CONNECTED)
  const hooks = new Map<string, unknown>()
  const hostnames = new Map<string, { id: string, hostname: string, status: string, ssl: { status: string, method: string } }>()
  const get = (pattern: string, answer: Sample['answer']): Sample => ({ method: 'GET', pattern, answer })
  const post = (pattern: string, answer: Sample['answer']): Sample => ({ method: 'POST', pattern, answer })
  const remove = (pattern: string, answer: Sample['answer']): Sample => ({ method: 'DELETE', pattern, answer })

  const setHook: Sample['answer'] = ({ params, body }) => {
    const hook = { id: id('wh_'), ...params, ...body }
    hooks.set(hook.id, hook)
    return ok(hook)
  }
  const dropHook: Sample['answer'] = ({ query, params }) => {
    hooks.delete(params.id ?? query.get('id') ?? '')
    return ok(null)
  }

  return [
    get('integrations', () => ok([...connected].map(type => ({ type, status: 'connected', label: type.replaceAll('_', ' ') })))),
    remove('integrations/:type', ({ params }) => {
      if (!connected.delete(params.type ?? '')) throw notFound('Integration')
      return ok(null)
    }),
    get('google-ads/campaigns', () => ok([1, 2, 3].map(no => ({
      id: String(1_000 + no), name: `Search ${no}`, status: no === 3 ? 'PAUSED' : 'ENABLED', budget: 5_000 * no, impressions: 12_000 * no, clicks: 340 * no, cost: 41_000 * no, conversions: 12 * no
    })))),
    get('google-business/locations', () => ok([
      { id: 'locations/1', name: 'Sample Bakery', address: '1 Main Street, Springfield', phone: '+12125550100', place_id: 'place-1', is_verified: true },
      { id: 'locations/2', name: 'Sample Bakery West', address: '9 West Street, Springfield', phone: '+12125550101', place_id: 'place-2', is_verified: false }
    ])),
    get('facebook/accounts', () => ok([{ id: 'page-1', name: 'Sample Bakery', access_token: 'twin', tasks: ['MANAGE', 'ADVERTISE'] }])),
    get('facebook/accounts/:page/forms', ({ params }) => ok([{ id: `${params.page}-form-1`, name: 'Quote request', status: 'ACTIVE', questions: [{ key: 'full_name' }, { key: 'email' }, { key: 'phone_number' }] }])),
    post('facebook/accounts/webhook', setHook),
    remove('facebook/accounts/webhook', dropHook),
    post('calltrackingmetrics/:token/webhook', setHook),
    remove('calltrackingmetrics/:token/webhook', dropHook),
    post('callrail/:token/webhook', setHook),
    remove('callrail/:token/webhook', dropHook),
    post('stripe/auth', ({ body }) => ok({ url: `http://localhost:12111/oauth/authorize?state=${encodeURIComponent(String(body?.state ?? ''))}` })),
    post('twilio/messages', ({ body }) => ok({ sid: id('SM') + id(''), status: 'queued', to: body?.to ?? null })),
    post('sendgrid/send', () => ok({ message_id: id('') })),
    post('fcm/send', () => ok({ message_id: `projects/twin/messages/${id('')}` })),
    get('duda/sites/:name', ({ params }) => ok({ site_name: params.name, publish_status: 'NOT_PUBLISHED_YET', preview_site_url: `http://localhost/preview/${params.name}` })),
    get('square/payments', () => ok([1, 2, 3].map(no => ({
      id: `sq-${no}`, status: 'COMPLETED', amount_money: { amount: 2_500 * no, currency: 'USD' }, created_at: new Date(clock.now().getTime() - no * 86_400_000).toISOString()
    })))),
    post('cloudflare/custom_hostnames', ({ body }) => {
      const made = { id: id('ch_'), hostname: String(body?.hostname ?? ''), status: 'pending', ssl: { status: 'pending_validation', method: 'txt' } }
      hostnames.set(made.id, made)
      return ok(made)
    }),
    get('cloudflare/custom_hostnames/:id', ({ params }) => {
      const found = hostnames.get(params.id ?? '')
      if (found === undefined) throw notFound('Hostname')
      // the first look already finds it issued
      Object.assign(found, { status: 'active', ssl: { status: 'active', method: 'txt' } })
      return ok(found)
    }),
    remove('cloudflare/custom_hostnames/:id', ({ params }) => ok({ removed: hostnames.delete(params.id ?? '') })),
    post('cloudflare/purge_cache', ({ body }) => ok({ id: id('purge_'), files: body?.files ?? [] }))
  ]
}
