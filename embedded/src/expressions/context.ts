import type { Collation } from '../values/collation.js'
import type { BsonDate, Maybe, Timestamp, Value } from '../values/types.js'

/** What a filter, an expression or a stage may rely on while it is parsed. */
export type ParseContext = {
  readonly now: BsonDate
  readonly clusterTime?: Timestamp
  readonly collation?: Collation
  /** the user variables in sight: only their names matter here, the values come with the Scope */
  readonly variables?: Vars
  /** false where `$text` may not stand, such as below `$elemMatch` */
  readonly allowText?: boolean
}

/** User variables as an immutable chain; the innermost binding of a name wins. */
export class Vars {
  static readonly none = new Vars('', undefined, undefined)

  private constructor (readonly name: string, readonly value: Maybe, readonly outer: Vars | undefined) {}

  with (name: string, value: Maybe): Vars {
    return new Vars(name, value, this)
  }

  /** @param names variables whose values come later, as for the sub-pipeline of `$lookup` */
  declare (names: Iterable<string>): Vars {
    let vars: Vars = this // eslint-disable-line @typescript-eslint/no-this-alias
    for (const name of names) vars = vars.with(name, undefined)
    return vars
  }

  get (name: string): Maybe {
    for (let v: Vars | undefined = this; v !== undefined; v = v.outer) if (v.name === name) return v.value // eslint-disable-line @typescript-eslint/no-this-alias
    return undefined
  }

  has (name: string): boolean {
    for (let v: Vars | undefined = this; v?.outer !== undefined; v = v.outer) if (v.name === name) return true // eslint-disable-line @typescript-eslint/no-this-alias
    return false
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
