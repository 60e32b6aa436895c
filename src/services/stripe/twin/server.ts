import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { UpstreamError } from '../../http/index.js'
import type { Clock } from '../../kit.js'
import { createTwinState } from '../../twin-state.js'
import { createTwin, type Twin, type TwinOptions, type TwinPlan } from '../../twin.js'
import { signEvent } from '../signature.js'
import { control } from './control.js'
import { ApiRefusal, createStore, refuse, type Door, type StoredState, type StripeObject } from './core.js'
import { baseDoors } from './doors.js'
import { parseForm, type Params } from './form.js'

export type StripeTwinOptions = Omit<TwinOptions, 'name'> & {
  /** port on loopback; 0 takes a free one */
  port: number
  clock: Clock
  /** our own routes, told of every event; `connect`: of those of connected accounts */
  endpoints?: ReadonlyArray<{ url: string, connect?: boolean }>
  /** doors of other modules, tried before the twin's own */
  doors?: readonly Door[]
}

export type StripeTwin = Twin & {
  /** Starts the server when it is not yet running; answers its address. */
  start (): Promise<string>
  secretKey: string
  webhookSecret: string
  /** Lets the twin's time run ahead. @param seconds */
  advance (seconds: number): void
}

type Asked = { method: string, url: URL, headers: IncomingMessage['headers'], body: string }
export type Reply = { status: number, body: unknown, headers?: Record<string, string> }

const MAX_BODY = 1_048_576

/** Stripe on this machine: an HTTP server in its wire form, so that the real library is what talks to it. */
export function createStripeTwin (options: StripeTwinOptions): StripeTwin {
  const base = createTwin({ ...options, name: 'stripe' })
  const state = createTwinState<StoredState>(join(base.folder, 'state.json'), () => ({
    secret_key: base.id('sk_test_', 12), webhook_secret: base.id('whsec_', 16), ahead: 0, objects: {}, idempotency: {}
  }))
  const store = createStore(state, options.clock)
  const doors = [...options.doors ?? [], ...baseDoors()]
  let address: Promise<string> | null = null

  const server = createServer((req, res) => {
    receive(req).then(asked => answer(asked)).then(reply => { write(res, reply) }, (error: unknown) => {
      // a fault of silence keeps the socket open, one of absence cuts it
      if (error instanceof UpstreamError && error.code === 'UPSTREAM_TIMEOUT') return
      if (!(error instanceof UpstreamError)) options.log.warn({ twin: 'stripe', err: error }, 'the Stripe twin failed')
      res.destroy()
    })
  })
  // the twin alone keeps no process alive
  server.unref()

  function emit (account: string, type: string, object: StripeObject, plan: TwinPlan) {
    const event = store.add(account, 'evt', 'event', {
      type, api_version: null, pending_webhooks: 0, data: { object: structuredClone(object) }, request: { id: null, idempotency_key: null }, ...(account === '' ? {} : { account })
    })
    const registered = store.all('', 'webhook_endpoint')
      .filter(one => (one.enabled_events as string[]).some(name => name === '*' || name === type) && (one.connect === true) === (account !== ''))
      .map(one => ({ url: String(one.url), secret: String(one.secret) }))
    const own = (options.endpoints ?? []).filter(one => account === '' || one.connect === true).map(one => ({ url: one.url, secret: state.value.webhook_secret }))
    for (const endpoint of [...registered, ...own]) for (let i = 0; i < plan.times; i++) tell(event, endpoint)
  }

  function tell (event: StripeObject, { url, secret }: { url: string, secret: string }) {
    const body = JSON.stringify(event)
    const now = new Date(store.now() * 1_000)
    base.hook({ url, body, headers: { 'content-type': 'application/json', 'stripe-signature': signEvent(body, secret, now) } })
  }

  async function answer (asked: Asked): Promise<Reply> {
    if (asked.url.pathname.startsWith('/_twin/')) return await control({ store, state, twin, resend }, asked.method, asked.url, asked.body)
    const kind = `${asked.method} ${asked.url.pathname}`
    try {
      if (asked.headers.authorization !== `Bearer ${state.value.secret_key}`) throw refuse(401, 'invalid_request_error', 'Invalid API Key provided')
      return await base.act({ kind, accountId: accountOf(asked), data: asked.body }, plan => remembered(asked, () => open(asked, plan)))
    } catch (error) {
      if (error instanceof ApiRefusal) return { status: error.status, body: { error: error.error } }
      if (error instanceof UpstreamError && error.outcome === 'answered') return faulted(error)
      throw error
    } finally {
      if (asked.method !== 'GET') await state.save()
    }
  }

  function open (asked: Asked, plan: TwinPlan): Reply {
    const account = accountOf(asked) ?? ''
    for (const door of doors) {
      const path = door.method === asked.method ? match(door.path, asked.url.pathname) : null
      if (path === null) continue
      const params = asked.method === 'GET' ? parseForm(asked.url.searchParams) : parseForm(new URLSearchParams(asked.body))
      return { status: 200, body: door.handle({ path, params, account, store, emit: (type, object) => { emit(account, type, object, plan) } }) }
    }
    throw refuse(501, 'api_error', `The twin does not play ${asked.method} ${asked.url.pathname}`)
  }

  /** The stored answer of an idempotency key, or a new one that is then stored. */
  function remembered (asked: Asked, work: () => Reply): Reply {
    const key = asked.headers['idempotency-key']
    if (typeof key !== 'string' || asked.method !== 'POST') return work()
    const hash = createHash('sha256').update(asked.url.pathname + asked.body).digest('hex')
    const name = `${accountOf(asked) ?? ''}/${key}`
    const known = state.value.idempotency[name]
    if (known === undefined) {
      const reply = keepRefusal(work)
      state.value.idempotency[name] = structuredClone({ hash, ...reply })
      return reply
    }
    if (known.hash !== hash) throw refuse(400, 'idempotency_error', 'Keys for idempotent requests can only be used with the same parameters they were first used with.')
    return { status: known.status, body: known.body, headers: { 'idempotent-replayed': 'true' } }
  }

  function resend (id: string): boolean {
    const event = Object.values(state.value.objects).flat().find(one => one.object === 'event' && one.id === id)
    if (event === undefined) return false
    for (const { url } of options.endpoints ?? []) tell(event, { url, secret: state.value.webhook_secret })
    return true
  }

  async function listen (): Promise<string> {
    try {
      await once(server.listen(options.port, '127.0.0.1'), 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      options.log.warn({ twin: 'stripe', port: options.port }, 'the port of the Stripe twin is taken: using the twin of the other process')
      return `http://127.0.0.1:${options.port}`
    }
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    options.log.info({ twin: 'stripe', url, secret_key: state.value.secret_key, webhook_secret: state.value.webhook_secret }, 'the Stripe twin listens')
    await state.save()
    return url
  }

  const twin: StripeTwin = {
    ...base,
    start () {
      address ??= listen()
      return address
    },
    secretKey: state.value.secret_key,
    webhookSecret: state.value.webhook_secret,
    advance (seconds) { state.value.ahead += seconds },
    async close () {
      server.closeAllConnections()
      server.close()
      await base.close()
    }
  }
  return twin
}

/** A refusal is an answer too and is stored with its key. */
function keepRefusal (work: () => Reply): Reply {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ApiRefusal) || error.status >= 500) throw error
    return { status: error.status, body: { error: error.error } }
  }
}

const faulted = (error: UpstreamError): Reply => ({
  status: error.status,
  body: { error: { type: error.status === 429 ? 'rate_limit_error' : 'api_error', message: 'fault of the twin' } },
  headers: { 'stripe-should-retry': 'false', ...(error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }) }
})

const accountOf = (asked: Asked): string | undefined => {
  const account = asked.headers['stripe-account'] ?? asked.headers['stripe-context']
  return typeof account === 'string' ? account : undefined
}

/** The named parts of a path, null when it is another one. */
function match (pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/')
  const parts = path.split('/')
  if (wanted.length !== parts.length) return null
  const found: Record<string, string> = {}
  for (const [index, want] of wanted.entries()) {
    const part = parts[index] ?? ''
    if (want.startsWith(':')) found[want.slice(1)] = decodeURIComponent(part)
    else if (want !== part) return null
  }
  return found
}

async function receive (req: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY) throw new Error('body too large')
    chunks.push(chunk)
  }
  return { method: req.method ?? 'GET', url: new URL(req.url ?? '/', 'http://twin'), headers: req.headers, body: Buffer.concat(chunks).toString('utf8') }
}

function write (res: ServerResponse, { status, body, headers = {} }: Reply) {
  res.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_twin', ...headers })
  res.end(JSON.stringify(body))
}

export type { Params }
