import type { Collection, Namespace } from '../catalog/types.js'
import type { ParseContext, Vars } from '../expressions/context.js'
import { parseVars } from '../expressions/index.js'
import { Interrupt } from '../cursors/interrupt.js'
import type { Session } from '../sessions/sessions.js'
import type { Transaction } from '../sessions/transaction.js'
import type { Reader } from '../storage/index.js'
import { Collation } from '../values/collation.js'
import type { BsonDate, Doc } from '../values/types.js'
import type { Engine } from './engine.js'
import { Fields } from './fields.js'
import { nameOf } from './namespace.js'

/** One connection, as commands see it. */
export type Client = {
  readonly id: number
  readonly remote: string
  appName: string | undefined
  /** aborted when the connection is gone */
  readonly closed: AbortSignal
}

type Setup = {
  readonly engine: Engine
  readonly client: Client
  readonly name: string
  readonly db: string
  readonly fields: Fields
  readonly session?: Session
  readonly transaction?: Transaction
  readonly retryNumber?: bigint
}

/** One command while it runs. */
export class Operation {
  readonly engine: Engine
  readonly client: Client
  readonly name: string
  readonly db: string
  readonly fields: Fields
  readonly session: Session | undefined
  readonly transaction: Transaction | undefined
  /** number of a retryable write */
  readonly retryNumber: bigint | undefined
  readonly now: BsonDate
  readonly interrupt: Interrupt
  #variables: Vars | undefined

  constructor (setup: Setup) {
    this.engine = setup.engine
    this.client = setup.client
    this.name = setup.name
    this.db = setup.db
    this.fields = setup.fields
    this.session = setup.session
    this.transaction = setup.transaction
    this.retryNumber = setup.retryNumber
    this.now = setup.engine.clock.now()
    // in a getMore it is the time to wait for data, not a limit
    const limit = setup.name === 'getMore' ? 0 : setup.fields.natural('maxTimeMS') ?? 0
    this.interrupt = new Interrupt(limit > 0 ? limit : undefined)
  }

  get body (): Doc {
    return this.fields.doc
  }

  /** Runs `fn` on the transaction's view, else on a snapshot that lives only as long. */
  read<T> (fn: (reader: Reader) => T): T {
    if (this.transaction !== undefined) return fn(this.transaction.view)
    const snapshot = this.engine.storage.snapshot()
    try {
      return fn(snapshot)
    } finally {
      snapshot.release()
    }
  }

  collection (reader: Reader, ns: Namespace): Collection | undefined {
    this.transaction?.touch(nameOf(ns))
    return this.engine.catalog.collection(reader, ns)
  }

  askedCollation (spec: Doc | undefined = this.fields.object('collation')): Collation | 'simple' | undefined {
    return parseCollation(spec)
  }

  /** @param collection whose collation holds when the command asks for none */
  context (collection: Collection | undefined, asked = this.askedCollation()): ParseContext {
    const collation = asked === 'simple' ? undefined : asked ?? collection?.collation
    const ctx: ParseContext = { now: this.now, clusterTime: this.engine.clock.last(), collation, allowText: true }
    const variables = this.variables(ctx)
    return variables === undefined ? ctx : { ...ctx, variables }
  }

  /** The command's `let`. */
  variables (ctx: ParseContext = { now: this.now, clusterTime: this.engine.clock.last() }): Vars | undefined {
    const spec = this.fields.object('let')
    if (spec !== undefined) this.#variables ??= parseVars(spec, ctx)
    return this.#variables
  }
}

export function parseCollation (spec: Doc | undefined): Collation | 'simple' | undefined {
  if (spec === undefined || spec.size === 0) return undefined
  return Collation.parse(spec) ?? 'simple'
}
