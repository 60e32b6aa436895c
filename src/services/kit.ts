import { randomBytes, randomUUID } from 'node:crypto'
import { Types } from 'mongoose'

/** Time as a dependency: billing and campaigns are tested under a moved clock. */
export type Clock = { now (): Date }
export const systemClock: Clock = { now: () => new Date() }

/** Identifiers and randomness as a dependency. */
export type Ids = {
  objectId (): Types.ObjectId
  uuid (): string
  /** URL-safe random text of `bytes` random bytes */
  token (bytes: number): string
  /** time-ordered 26-character id (ULID) */
  ulid (now: Date): string
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

function ulid (now: Date): string {
  let time = now.getTime()
  let head = ''
  for (let i = 0; i < 10; i++) {
    head = CROCKFORD.charAt(time % 32) + head
    time = Math.floor(time / 32)
  }
  let tail = ''
  for (const byte of randomBytes(16)) tail += CROCKFORD.charAt(byte & 31)
  return head + tail
}

export const systemIds: Ids = {
  objectId: () => new Types.ObjectId(),
  uuid: randomUUID,
  token: bytes => randomBytes(bytes).toString('base64url'),
  ulid
}

export type FieldError = { path: string, message: string, code: string }

type ErrorParts = {
  /** public detail beside the message */
  info?: string
  /** public structured data beside `code` */
  data?: Readonly<Record<string, unknown>>
  errors?: FieldError[]
  headers?: Readonly<Record<string, string>>
}

/** A failure that the caller may see: `code` and `message` are public, `cause` goes to the log only. */
export class ServiceError extends Error {
  readonly #parts: ErrorParts

  constructor (readonly status: number, readonly code: string, message: string, parts: ErrorParts = {}) {
    super(message)
    this.name = 'ServiceError'
    this.#parts = parts
  }

  get info () { return this.#parts.info }
  get data () { return this.#parts.data }
  get errors () { return this.#parts.errors }
  get headers () { return this.#parts.headers }

  /** The same error with an inner reason that only the log sees. */
  because (cause: unknown): this {
    this.cause = cause
    return this
  }

  with (parts: ErrorParts): ServiceError {
    const next = new ServiceError(this.status, this.code, this.message, { ...this.#parts, ...parts })
    next.cause = this.cause
    return next
  }
}

// The argument types of each entry are inferred from its text; `never[]` is the only parameter list that every text function fits.
type Entry = { status: number, text: string | ((...args: never[]) => string) }
type Catalogue<T extends Record<string, Entry>> = {
  readonly [K in keyof T]: T[K]['text'] extends (...args: infer A) => string ? (...args: A) => ServiceError : () => ServiceError
}

/** Every code of the service with its status: `docs/errors.md` is generated from it. */
export const errorCodes = new Map<string, { module: string, status: number, text: string }>()

/** Declares a module's error codes; a code never changes and keeps one status in the whole service. */
export function catalogue<const T extends Record<string, Entry>> (module: string, entries: T): Catalogue<T> {
  const made = Object.entries(entries).map(([code, { status, text }]) => {
    const known = errorCodes.get(code)
    if (known === undefined) errorCodes.set(code, { module, status, text: typeof text === 'string' ? text : describe(text) })
    return [code, (...args: never[]) => new ServiceError(status, code, typeof text === 'string' ? text : text(...args))]
  })
  return Object.fromEntries(made) as Catalogue<T>
}

const describe = (text: (...args: never[]) => string) => text(...Array.from({ length: text.length }, () => '…') as never[])

export const CommonError = catalogue('platform', {
  ROUTE_NOT_FOUND: { status: 404, text: 'Route not found.' },
  NOT_FOUND: { status: 404, text: 'Not found.' },
  METHOD_NOT_ALLOWED: { status: 405, text: 'This method is not allowed here.' },
  VALIDATION_FAILED: { status: 400, text: 'The request is not valid.' },
  INVALID_REFERENCE: { status: 400, text: (field: string) => `${field} does not name anything that you can use here.` },
  DUPLICATE_DOCUMENT: { status: 409, text: 'Duplicate document.' },
  VERSION_CONFLICT: { status: 409, text: 'This record has changed since you read it.' },
  PAYLOAD_TOO_LARGE: { status: 413, text: 'The body is too large.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, text: 'This media type is not supported here.' },
  RATE_LIMITED: { status: 429, text: 'Too many requests.' },
  IDEMPOTENCY_KEY_INVALID: { status: 400, text: 'Idempotency-Key must have 1 to 255 characters.' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, text: 'This Idempotency-Key was used with another request.' },
  IDEMPOTENCY_IN_PROGRESS: { status: 409, text: 'The first request with this Idempotency-Key is still running.' },
  INVALID_CURSOR: { status: 400, text: 'The cursor is not valid for this list.' },
  OVERLOADED: { status: 503, text: 'The service is busy, try again shortly.' },
  SERVICE_DRAINING: { status: 503, text: 'The service is shutting down.' },
  DATABASE_UNAVAILABLE: { status: 503, text: 'The database is not available, try again shortly.' },
  UPSTREAM_UNAVAILABLE: { status: 502, text: 'A service behind this one is not available.' },
  UPSTREAM_TIMEOUT: { status: 504, text: 'A service behind this one did not answer in time.' },
  INTERNAL_ERROR: { status: 500, text: 'Something went wrong.' }
})

/** Who is calling, as established at the door; services decide by it and never by HTTP. */
export type Actor = {
  type: 'user' | 'key' | 'app' | 'staff' | 'system'
  userId: string
  accountId: string
  /** the main account above, null when the account is a main account itself */
  parentAccount: string | null
  role: string
  isOwner: boolean
  permissions: ReadonlySet<string>
  /** may the caller do this? The catalogue's rules (schemas/scopes.ts) are applied */
  can (scope: string, method?: string): boolean
  sessionId?: string
  impersonatorId?: string
  /** set when an API key calls: its calls count together */
  key?: { id: string, keyId: string, ratePerMinute: number }
  /** set when an app calls by a token that a person gave it */
  clientId?: string
  /** when the password was proved in this session, milliseconds */
  provedAt?: number
  /** the account asks for a second factor that this person does not have */
  mfaMissing?: boolean
  requestId: string
}
