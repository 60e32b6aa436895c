import { setTimeout as wait } from 'node:timers/promises'
import { Agent, errors, request as undiciRequest, type Dispatcher } from 'undici'
import type { Clock } from '../kit.js'
import { BREAKER_DEFAULTS, createBreaker, type Breaker, type BreakerOptions, type CallResult } from './breaker.js'
import { UpstreamError, answeredWith, badAnswer, retryAfterSeconds, timedOut, unreachable, type Outcome } from './errors.js'
import type { Log } from './log.js'
import { createRetryBudget } from './retry-budget.js'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type HttpRequest = {
  /** name of the other system, for errors and the log */
  upstream: string
  url: string
  method?: Method
  headers?: Readonly<Record<string, string>>
  /** sent as `application/json` */
  json?: unknown
  /** sent as `application/x-www-form-urlencoded` */
  form?: URLSearchParams | Readonly<Record<string, string>>
  body?: string | Uint8Array
  /** time for everything, repeats included, milliseconds (default 10 000) */
  timeoutMs?: number
  /** tries in all, for idempotent calls only (default 2 for GET and HEAD, else 1) */
  tries?: number
  /** declares that a repeat has no second effect (default: by method) */
  idempotent?: boolean
  /** largest answer in bytes (default 5 MiB) */
  maxBytes?: number
  requestId?: string
  signal?: AbortSignal
}

export type HttpAnswer = {
  status: number
  headers: Readonly<Record<string, string>>
  bytes: Buffer
  text (): string
  /** @throws UPSTREAM_BAD_RESPONSE when the body is not JSON */
  json (): unknown
}

export type HttpClientOptions = {
  clock: Clock
  log: Log
  breaker?: Partial<BreakerOptions>
  /** sockets per host (default 64) */
  connections?: number
  /** time to open a socket, milliseconds (default 3 000) */
  connectTimeoutMs?: number
  /** the request id of the running request, passed on as `x-request-id` when a call names none */
  requestId?: () => string | undefined
  random?: () => number
  /** replaces the pools, in tests */
  dispatcher?: Dispatcher
}

const IDEMPOTENT = new Set<Method>(['GET', 'HEAD', 'PUT', 'DELETE'])
const REPEATABLE = new Set([502, 503, 504])
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

/** Parts of a path that are mail addresses or phone numbers. */
const PERSONAL = /\/[^/]*(?:@|%40|\+\d|%2B\d)[^/]*/gi

const codeOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

/**
 * The one way out to systems that we name ourselves: pooled keep-alive sockets, a total time, repeats of idempotent
 * calls only, a circuit breaker per host, the request id passed on, every call logged with its duration.
 * Addresses that a user supplied go through `services/guarded-fetch` instead.
 */
export function createHttpClient (options: HttpClientOptions) {
  const { clock, log, random = Math.random } = options
  const dispatcher = options.dispatcher ?? new Agent({
    connections: options.connections ?? 64,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    connect: { timeout: options.connectTimeoutMs ?? 3_000 },
    headersTimeout: 0,
    bodyTimeout: 0
  })
  const hosts = new Map<string, { breaker: Breaker, budget: ReturnType<typeof createRetryBudget> }>()

  function host (origin: string) {
    let known = hosts.get(origin)
    if (known === undefined) {
      known = { breaker: createBreaker(clock, { ...BREAKER_DEFAULTS, ...options.breaker }), budget: createRetryBudget() }
      hosts.set(origin, known)
    }
    return known
  }

  function admit (upstream: string, origin: string) {
    const { breaker } = host(origin)
    const report = breaker.enter()
    if (report === null) throw unreachable(upstream, 'circuit breaker is open', 'not_sent', Math.max(Math.ceil(breaker.waitMs() / 1_000), 1))
    return report
  }

  function note (request: Pick<HttpRequest, 'upstream' | 'method' | 'requestId'>, url: URL, started: number, result: object, failed: boolean) {
    const fields = {
      upstream: request.upstream,
      method: request.method ?? 'GET',
      target: url.origin + url.pathname.replaceAll(PERSONAL, '/[personal]'),
      request_id: request.requestId ?? options.requestId?.(),
      ms: Math.round(performance.now() - started),
      ...result
    }
    if (failed) log.warn(fields, 'upstream call failed')
    else log.debug(fields, 'upstream call')
  }

  async function once (request: HttpRequest, url: URL, signal: AbortSignal, attempt: number): Promise<HttpAnswer> {
    const report = admit(request.upstream, url.origin)
    const started = performance.now()
    let result: CallResult = 'ignored'
    try {
      const answer = await exchange(request, url, signal, dispatcher, options.requestId)
      result = answer.status >= 500 ? 'failed' : 'ok'
      note(request, url, started, { status: answer.status, attempt }, result === 'failed')
      return answer
    } catch (error) {
      const known = translate(request.upstream, error, request.signal)
      if (known instanceof UpstreamError) result = 'failed'
      note(request, url, started, { code: known instanceof UpstreamError ? known.code : 'ABORTED', reason: codeOf(error), attempt }, true)
      throw known
    } finally {
      report(result)
    }
  }

  /**
   * Makes the call and answers whatever status came back.
   * @throws UPSTREAM_UNAVAILABLE not reachable or breaker open, UPSTREAM_TIMEOUT, UPSTREAM_BAD_RESPONSE answer too large
   */
  async function send (request: HttpRequest): Promise<HttpAnswer> {
    const url = new URL(request.url)
    const method = request.method ?? 'GET'
    const idempotent = request.idempotent ?? IDEMPOTENT.has(method)
    const tries = idempotent ? request.tries ?? (method === 'GET' || method === 'HEAD' ? 2 : 1) : 1
    const limit = AbortSignal.timeout(Math.ceil(request.timeoutMs ?? 10_000))
    const signal = request.signal === undefined ? limit : AbortSignal.any([limit, request.signal])
    const { budget } = host(url.origin)
    budget.call()
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= tries
      try {
        const answer = await once(request, url, signal, attempt)
        if (last || !REPEATABLE.has(answer.status) || !budget.take()) return answer
        if (!await pause(attempt, retryAfterSeconds(answer.headers['retry-after'], clock.now()))) return answer
      } catch (error) {
        if (last || !(error instanceof UpstreamError) || error.code !== 'UPSTREAM_UNAVAILABLE' || !budget.take()) throw error
        if (!await pause(attempt, error.retryAfter)) throw error
      }
    }

    /** Waits before the next try; false when the time does not allow one. */
    async function pause (attempt: number, asked: number | undefined): Promise<boolean> {
      const ms = asked === undefined ? 50 * 2 ** attempt * (0.5 + random()) : asked * 1_000
      if (ms >= (request.timeoutMs ?? 10_000)) return false
      return await wait(ms, true, { signal }).catch(() => false)
    }
  }

  /**
   * As `send`, but a status of 300 and above is an error.
   * @throws UpstreamError with the status and the stripped data of the answer
   */
  async function call (request: HttpRequest): Promise<HttpAnswer> {
    const answer = await send(request)
    if (answer.status >= 400) throw refusal(request.upstream, answer, clock.now())
    if (answer.status >= 300) throw badAnswer(request.upstream, `unexpected redirect ${answer.status}`)
    return answer
  }

  /**
   * The same breaker and log around a client library that has its own transport and time limit.
   * @param failed whether an error that the library threw speaks against the host
   */
  async function guard<T> (
    target: Pick<HttpRequest, 'upstream' | 'url' | 'method' | 'requestId'>,
    run: () => Promise<T>,
    failed: (error: unknown) => boolean
  ): Promise<T> {
    const url = new URL(target.url)
    const report = admit(target.upstream, url.origin)
    const started = performance.now()
    try {
      const value = await run()
      report('ok')
      note(target, url, started, {}, false)
      return value
    } catch (error) {
      report(failed(error) ? 'failed' : 'ok')
      note(target, url, started, { reason: codeOf(error) ?? (error as Error).name }, true)
      throw error
    }
  }

  return {
    send,
    call,
    guard,
    /** `open` while calls to the host of this address are refused */
    state: (address: string): 'ok' | 'open' => host(new URL(address).origin).breaker.state(),
    /** Closes the idle sockets and waits for the running calls. */
    close: () => dispatcher.close()
  }
}

export type HttpClient = ReturnType<typeof createHttpClient>

function bodyOf (request: HttpRequest): { body?: string | Uint8Array, type?: string } {
  if (request.json !== undefined) return { body: JSON.stringify(request.json), type: 'application/json' }
  if (request.form !== undefined) return { body: new URLSearchParams(request.form).toString(), type: 'application/x-www-form-urlencoded' }
  return request.body === undefined ? {} : { body: request.body }
}

async function exchange (
  request: HttpRequest, url: URL, signal: AbortSignal, dispatcher: Dispatcher, currentId: HttpClientOptions['requestId']
): Promise<HttpAnswer> {
  const { body, type } = bodyOf(request)
  const requestId = request.requestId ?? currentId?.()
  const answer = await undiciRequest(url, {
    dispatcher,
    signal,
    method: request.method ?? 'GET',
    headers: {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
      ...request.headers
    },
    ...(body === undefined ? {} : { body })
  })
  const bytes = await collect(request.upstream, answer.body, request.maxBytes ?? 5 * 1_048_576)
  const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]))
  return answerOf(request.upstream, answer.statusCode, headers, bytes)
}

async function collect (upstream: string, body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw badAnswer(upstream, `answer of more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function answerOf (upstream: string, status: number, headers: Record<string, string>, bytes: Buffer): HttpAnswer {
  return {
    status,
    headers,
    bytes,
    text: () => bytes.toString('utf8'),
    json () {
      try {
        return JSON.parse(bytes.toString('utf8')) as unknown
      } catch (error) {
        throw badAnswer(upstream, error)
      }
    }
  }
}

/** The error for a failure answer; a body that is not JSON is not shown. */
function refusal (upstream: string, answer: HttpAnswer, now: Date): UpstreamError {
  let body: unknown
  try {
    body = JSON.parse(answer.bytes.subarray(0, 65_536).toString('utf8'))
  } catch {
    body = undefined
  }
  return answeredWith(answer.status, { upstream, body, retryAfter: retryAfterSeconds(answer.headers['retry-after'], now) })
}

function translate (upstream: string, error: unknown, callerSignal: AbortSignal | undefined): unknown {
  if (error instanceof UpstreamError) return error
  if (callerSignal?.aborted === true) return error
  if (isTimeout(error)) return timedOut(upstream, error)
  if (error instanceof errors.InvalidArgumentError || error instanceof TypeError) return error
  const outcome: Outcome = NEVER_SENT.has(codeOf(error) ?? '') ? 'not_sent' : 'unknown'
  return malformed(error) ? badAnswer(upstream, error) : unreachable(upstream, error, outcome)
}

const isTimeout = (error: unknown) =>
  (error instanceof Error && error.name === 'TimeoutError') || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError

const malformed = (error: unknown) => error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError
