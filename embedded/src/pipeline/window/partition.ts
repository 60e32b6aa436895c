import type { Scope } from '../../expressions/context.js'
import type { Expression } from '../../expressions/index.js'
import type { Doc, Maybe } from '../../values/types.js'
import { enter } from '../stage.js'
import type { Metas } from '../stage.js'
import { endpointsOf } from './bounds.js'
import type { Endpoints, Window } from './bounds.js'

const OFTEN = 1023

/** The documents over which window functions run, in their order. */
export class Partition {
  constructor (
    readonly docs: readonly Doc[], private readonly at: Scope, private readonly metas: Metas, private readonly sortBy: Expression | undefined,
    private readonly checkInterrupt: () => void
  ) {}

  evaluate (expression: Pick<Expression, 'evaluate'>, i: number): Maybe {
    // windows over windows take long: the operation may have been killed meanwhile
    if ((i & OFTEN) === OFTEN) this.checkInterrupt()
    return expression.evaluate(enter(this.at, this.docs[i], this.metas))
  }

  /** The value of a single sort field. */
  sortValue (i: number): Maybe {
    return this.evaluate(this.sortBy!, i)
  }

  endpoints (window: Window): (i: number) => Endpoints {
    return endpointsOf(window, this.docs.length, i => this.sortValue(i))
  }

  each (compute: (i: number) => Maybe): Maybe[] {
    return this.docs.map((_, i) => compute(i))
  }
}
