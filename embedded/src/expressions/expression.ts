import type { Maybe } from '../values/types.js'
import type { Scope } from './context.js'

/** The paths of the document that an expression reads; 'all' when it takes the document as a whole. */
export type Dependencies = 'all' | readonly string[]

export type Evaluate = (scope: Scope) => Maybe

export interface Expression {
  readonly evaluate: Evaluate
  /** the same for every document and every variable; its value is `constant` */
  readonly isConstant: boolean
  readonly constant?: Maybe
  readonly dependencies: Dependencies
  /** the `$meta` names that it reads, such as textScore: whoever runs it says 40218 if the query has none */
  readonly metadata: readonly string[]
}
