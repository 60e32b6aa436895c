import type { Collation } from '../values/collation.js'
import type { BsonDate, Maybe, Timestamp, Value } from '../values/types.js'

/** What a filter, an expression or a stage may rely on while it is parsed. */
export type ParseContext = {
  readonly now: BsonDate
  readonly clusterTime?: Timestamp
  readonly collation?: Collation
  /** the user variables in sight: those bound by `with` are constants, the values of those that are only declared come with the Scope */
  readonly variables?: Vars
  /** false where `$text` may not stand, such as below `$elemMatch` */
  readonly allowText?: boolean
}

/** User variables as an immutable chain; the innermost binding of a name wins. */
export class Vars {
  static readonly none = new Vars('', undefined, true, undefined)

  private constructor (readonly name: string, readonly value: Maybe, private readonly settled: boolean, readonly outer: Vars | undefined) {}

  /** A variable whose value is known, such as one of a command's `let`: expressions compiled with it take it as a constant. */
  with (name: string, value: Maybe): Vars {
    return new Vars(name, value, true, this)
  }

  /** Variables whose values come with the Scope, as those of `$lookup` for a sub-pipeline that is compiled once. */
  declare (names: Iterable<string>): Vars {
    return [...names].reduce<Vars>((vars, name) => new Vars(name, undefined, false, vars), this)
  }

  get (name: string): Maybe {
    return this.#find(name)?.value
  }

  has (name: string): boolean {
    return this.#find(name) !== undefined
  }

  /** The binding, if its value is known already. */
  known (name: string): Vars | undefined {
    const found = this.#find(name)
    return found?.settled === true ? found : undefined
  }

  #find (name: string): Vars | undefined {
    if (this.name === name && this.outer !== undefined) return this
    for (let v = this.outer; v?.outer !== undefined; v = v.outer) if (v.name === name) return v
    return undefined
  }
}

export type SystemVars = {
  readonly now: BsonDate
  readonly clusterTime?: Timestamp
}

/** What `$meta` can read about a document. */
export type DocMeta = {
  textScore?: number
  indexKey?: Value
  recordId?: Value
  sortKey?: Value
}

/** The surroundings in which an expression is evaluated; a stage may reuse one object and set `root` for each document. */
export type Scope = {
  root: Maybe
  readonly vars: Vars
  readonly system: SystemVars
  meta?: DocMeta
}

export const systemVars = (ctx: ParseContext): SystemVars => ({ now: ctx.now, clusterTime: ctx.clusterTime })

export const scopeOf = (root: Maybe, ctx: ParseContext, meta?: DocMeta): Scope =>
  ({ root, vars: ctx.variables ?? Vars.none, system: systemVars(ctx), meta })
