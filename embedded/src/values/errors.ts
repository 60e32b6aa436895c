import type { Doc } from './types.js'
import { CODE_NAMES } from './error-codes.js'

type Extra = {
  /** further fields of the error reply or write error, such as keyPattern and keyValue */
  fields?: Readonly<Record<string, Doc | string | boolean>>
  labels?: readonly string[]
}

/** An error that goes to the client with MongoDB's code. Anything else that is thrown becomes code 8 (UnknownError) and is logged. */
export class MongoError extends Error {
  readonly fields: Readonly<Record<string, Doc | string | boolean>>
  labels: readonly string[]

  constructor (readonly code: number, message: string, { fields = {}, labels = [] }: Extra = {}) {
    super(message)
    this.name = 'MongoError'
    this.fields = fields
    this.labels = labels
  }

  get codeName (): string {
    return CODE_NAMES.get(this.code) ?? `Location${this.code}`
  }
}

export const badValue = (message: string): MongoError => new MongoError(2, message)
export const failedToParse = (message: string): MongoError => new MongoError(9, message)
export const typeMismatch = (message: string): MongoError => new MongoError(14, message)
/** A thing that MongoDB can do and this engine does not. */
export const notSupported = (what: string): MongoError => new MongoError(115, `${what} is not supported by the embedded engine`)
