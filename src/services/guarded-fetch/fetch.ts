import { Readable } from 'node:stream'
import { errors, type Dispatcher } from 'undici'
import type { Log } from '../http/log.js'
import { ServiceError } from '../kit.js'
import { isPublicAddress } from './addresses.js'
import { collect, collectStart, isKnownEncoding, limitedBody, type BodyLimits, type Moved } from './body.js'
import { TargetError } from './errors.js'
import { createPinnedPools, type Dial } from './pools.js'
import { createDnsResolver, type Resolver } from './resolver.js'
import { parseTarget, type Target, type TargetRules } from './target.js'

export type GuardedMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type GuardedLimits = BodyLimits & {
  /** milliseconds from the call to the last byte of the body */
  totalMs: number
}

export type GuardedOptions = {
  method?: GuardedMethod
  /** `host`, cookies, proxy and connection headers are dropped; after a change of host only the harmless ones go on */
  headers?: Readonly<Record<string, string>>
  body?: string | Uint8Array
  /** how many redirects of GET and HEAD are followed (default 0: the 3xx is the answer) */
  maxRedirects?: number
  limits?: Partial<GuardedLimits>
  httpsOnly?: boolean
  namesOnly?: boolean
  /** asked before each hop; throws to refuse it */
  checkHop?: (url: URL) => void | Promise<void>
  signal?: AbortSignal
}

export type GuardedAnswer = {
  status: number
  /** without cookies, location and connection headers */
  headers: Readonly<Record<string, string>>
  /** the address that answered, after redirects */
  url: string
  /** unpacked; fails with TARGET_TOO_LARGE or TARGET_TIMEOUT past a limit; destroy it to hang up */
  body: Readable
  /** bytes so far, also of a cut transfer */
  moved: Readonly<Moved>
  bytes (): Promise<Buffer>
  text (): Promise<string>
  /** @throws TARGET_BAD_RESPONSE */
  json (): Promise<unknown>
  /** the first `max` bytes; the rest is not read */
  start (max: number): Promise<Buffer>
}

export type GuardedFetchDeps = {
  log: Log
  userAgent: string
  /** refuses to be built with exceptions in `allow` */
  production: boolean
  /** `host:port` that may be called whatever they are; for tests and development */
  allow?: readonly string[]
  resolver?: Resolver
  dial?: Dial
  limits?: Partial<GuardedLimits>
  /** milliseconds */
  times?: Partial<{ dnsMs: number, connectMs: number, firstByteMs: number, idleMs: number }>
}

const LIMITS: GuardedLimits = { totalMs: 30_000, maxBytes: 10_485_760, maxRatio: 100 }
const TIMES = { dnsMs: 2_000, connectMs: 5_000, firstByteMs: 10_000, idleMs: 10_000 }
const MAX_HEADER_BYTES = 32_768

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const BODILESS = new Set([204, 205, 304])
const NEVER_SENT = /^(?:host|cookie|cookie2|connection|keep-alive|te|trailer|transfer-encoding|upgrade|content-length|expect|forwarded|via|x-forwarded-.*|x-real-ip|proxy-.*)$/
const KEPT_ON_NEW_HOST = new Set(['accept', 'accept-language', 'range', 'if-none-match', 'if-modified-since'])
const NEVER_RETURNED = new Set([
  'set-cookie', 'set-cookie2', 'location', 'refresh', 'www-authenticate', 'proxy-authenticate', 'connection', 'keep-alive', 'transfer-encoding', 'trailer', 'upgrade',
  'alt-svc', 'clear-site-data', 'strict-transport-security'
])

/** Calls addresses that users supplied; built once, see `createGuardedFetch`. */
export type GuardedFetch = ((address: string, options?: GuardedOptions) => Promise<GuardedAnswer>) & { close (): Promise<void> }

/**
 * The only way to call an address that a user supplied. Whether it may be called is decided on the resolved
 * addresses, of which every one must be public, on every hop and for every new socket; the socket then goes to exactly those.
 */
export function createGuardedFetch (deps: GuardedFetchDeps): GuardedFetch {
  const allow: ReadonlySet<string> = new Set(deps.allow)
  if (deps.production && allow.size > 0) throw new Error('exceptions of the address check are not allowed in production')
  const times = { ...TIMES, ...deps.times }
  const resolve = deps.resolver ?? createDnsResolver(times.dnsMs)
  const pools = createPinnedPools({ ...times, maxHeaderBytes: MAX_HEADER_BYTES, dial: deps.dial })

  async function addressesOf (target: Target, signal: AbortSignal): Promise<readonly string[]> {
    if (target.isAddress) return [target.host]
    const asked = resolve(target.host, signal).catch((error: unknown) => { throw TargetError.TARGET_UNREACHABLE().because(error) })
    const found = await withTime(asked, times.dnsMs, signal)
    if (found.length === 0) throw TargetError.TARGET_UNREACHABLE().because('no address')
    const refused = target.exempt ? undefined : found.find(address => !isPublicAddress(address))
    if (refused !== undefined) throw TargetError.TARGET_NOT_ALLOWED().because(`${target.host} leads to ${refused}`)
    return [...new Set(found)].sort().slice(0, 8)
  }

  async function hop (target: Target, options: GuardedOptions, headers: Record<string, string>, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    await options.checkHop?.(target.url)
    const addresses = await addressesOf(target, signal)
    return await pools.for(target, addresses).request({
      path: target.url.pathname + target.url.search,
      method: options.method ?? 'GET',
      headers,
      ...(options.body === undefined ? {} : { body: options.body }),
      signal
    })
  }

  /** Follows redirects as the options allow and answers the last hop. */
  async function walk (address: string, options: GuardedOptions, signal: AbortSignal): Promise<{ answer: Dispatcher.ResponseData, target: Target }> {
    const rules: TargetRules = { allow, httpsOnly: options.httpsOnly, namesOnly: options.namesOnly }
    const most = options.maxRedirects ?? 0
    let target = parseTarget(address, rules)
    let headers = requestHeaders(options.headers ?? {}, deps.userAgent)
    for (let followed = 0; ; followed++) {
      const answer = await hop(target, options, headers, signal)
      if (most === 0 || !REDIRECTS.has(answer.statusCode)) return { answer, target }
      hangUp(answer.body)
      if (options.method !== undefined && options.method !== 'GET' && options.method !== 'HEAD') throw TargetError.PROXY_REDIRECT_REFUSED()
      if (followed >= most) throw TargetError.TOO_MANY_REDIRECTS()
      const next = nextTarget(target, answer.headers.location, rules)
      if (next.url.origin !== target.url.origin) headers = onlyHarmless(headers)
      target = next
    }
  }

  async function guardedFetch (address: string, options: GuardedOptions = {}): Promise<GuardedAnswer> {
    const limits = { ...LIMITS, ...deps.limits, ...options.limits }
    const stop = new AbortController()
    const timer = setTimeout(() => { stop.abort(TargetError.TARGET_TIMEOUT()) }, limits.totalMs)
    timer.unref()
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal])
    const started = performance.now()
    const note = (fields: object) => { deps.log.debug({ method: options.method ?? 'GET', ms: Math.round(performance.now() - started), ...fields }, 'guarded fetch') }
    try {
      const { answer, target } = await walk(address, options, signal)
      const result = present(answer, target, options, limits)
      result.body.once('close', () => { clearTimeout(timer); note({ host: target.host, status: result.status, ...result.moved }) })
      return result
    } catch (error) {
      clearTimeout(timer)
      const known = explain(error)
      note({ code: known instanceof ServiceError ? known.code : known.name, reason: String(known.cause ?? '') })
      throw known
    }
  }

  return Object.assign(guardedFetch, { close: pools.close })
}

/** Checks the head against the limits and wraps the body. */
function present (answer: Dispatcher.ResponseData, target: Target, options: GuardedOptions, limits: GuardedLimits): GuardedAnswer {
  const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]))
  const bodiless = options.method === 'HEAD' || BODILESS.has(answer.statusCode)
  const encoding = bodiless ? 'identity' : (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  const refusal = bodiless ? undefined : headRefusal(answer.statusCode, encoding, headers, limits)
  if (refusal !== undefined) {
    hangUp(answer.body)
    throw refusal
  }
  const moved: Moved = { wire: 0, unpacked: 0 }
  // undici takes the content-length that HEAD and 304 may carry for a promise and fails on the missing bytes
  if (bodiless) hangUp(answer.body)
  const body = bodiless ? Readable.from([]).resume() : limitedBody(answer.body, encoding, limits, moved, explain)
  // a failure after the caller lost interest is nobody's
  body.on('error', () => {})
  return {
    status: answer.statusCode,
    headers: shownHeaders(headers, encoding !== 'identity'),
    url: target.url.href,
    body,
    moved,
    bytes: () => collect(body),
    text: async () => (await collect(body)).toString('utf8'),
    async json () {
      const bytes = await collect(body)
      try {
        return JSON.parse(bytes.toString('utf8')) as unknown
      } catch (error) {
        throw TargetError.TARGET_BAD_RESPONSE().because(error)
      }
    },
    start: max => collectStart(body, max)
  }
}

function headRefusal (status: number, encoding: string, headers: Record<string, string>, limits: GuardedLimits): ServiceError | undefined {
  if (!isKnownEncoding(encoding)) return TargetError.TARGET_BAD_RESPONSE().because(`content-encoding ${encoding}`)
  if (status === 206 && encoding !== 'identity') return TargetError.TARGET_BAD_RESPONSE().because('a packed part')
  if (Number(headers['content-length']) > limits.maxBytes) return TargetError.TARGET_TOO_LARGE()
  return undefined
}

const shownHeaders = (headers: Record<string, string>, unpacked: boolean) => Object.fromEntries(Object.entries(headers)
  .filter(([name]) => !NEVER_RETURNED.has(name) && !(unpacked && (name === 'content-encoding' || name === 'content-length'))))

function requestHeaders (asked: Readonly<Record<string, string>>, userAgent: string): Record<string, string> {
  const named = Object.entries(asked).map(([name, value]) => [name.toLowerCase(), value] as const)
  const headers = Object.fromEntries(named.filter(([name]) => !NEVER_SENT.test(name)))
  // a part of a packed body cannot be unpacked
  headers['accept-encoding'] = headers.range === undefined ? 'gzip, deflate, br' : 'identity'
  headers['user-agent'] ??= userAgent
  return headers
}

const onlyHarmless = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => KEPT_ON_NEW_HOST.has(name) || name === 'accept-encoding' || name === 'user-agent'))

function nextTarget (from: Target, location: string | string[] | undefined, rules: TargetRules): Target {
  if (typeof location !== 'string' || !URL.canParse(location, from.url.href)) throw TargetError.TARGET_BAD_RESPONSE().because('redirect without an address')
  const next = new URL(location, from.url)
  next.hash = ''
  try {
    return parseTarget(next.href, rules)
  } catch (error) {
    // the caller's own address was fine, so it is the place that is refused
    throw TargetError.TARGET_NOT_ALLOWED().because(error)
  }
}

/** Closes an answer whose body nobody reads. */
function hangUp (body: Readable) {
  body.on('error', () => {})
  body.destroy()
}

async function withTime<T> (work: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let stop = () => {}
  const cut = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(TargetError.TARGET_TIMEOUT().because('name resolution')) }, ms)
    stop = () => { reject(explain(signal.reason)) }
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, cut])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

const TIMEOUTS = [errors.HeadersTimeoutError, errors.BodyTimeoutError, errors.ConnectTimeoutError]
const MALFORMED = [errors.HTTPParserError, errors.ResponseContentLengthMismatchError]

function explain (error: unknown): Error {
  if (error instanceof ServiceError) return error
  if (!(error instanceof Error)) return new Error(String(error))
  if (error.name === 'AbortError') return error
  if (TIMEOUTS.some(kind => error instanceof kind)) return TargetError.TARGET_TIMEOUT().because(error)
  if (error instanceof errors.HeadersOverflowError) return TargetError.TARGET_TOO_LARGE().because(error)
  if (error instanceof errors.InvalidArgumentError) return TargetError.INVALID_TARGET_URL().because(error)
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (MALFORMED.some(kind => error instanceof kind) || code.startsWith('Z_') || code.startsWith('ERR_BROTLI') || code.startsWith('HPE_')) {
    return TargetError.TARGET_BAD_RESPONSE().because(error)
  }
  // what has no code is no failure of a name server or a socket but a mistake of ours
  return code === '' ? error : TargetError.TARGET_UNREACHABLE().because(error)
}
