import type { Scope } from '../expressions/context.js'
import { compileExpression } from '../expressions/index.js'
import type { Expression } from '../expressions/index.js'
import type { Collation } from '../values/collation.js'
import type { Maybe, Value } from '../values/types.js'
import type { Memory } from './memory.js'
import type { StageScope } from './stage.js'
import type { Dependencies } from './types.js'

/** The state of one accumulated field of one group. */
export interface Accumulator {
  add (value: Maybe): void
  /** undefined is shown as null */
  result (): Maybe
}

export type Surroundings = {
  readonly collation: Collation | undefined
  /** counts what the accumulator keeps */
  readonly memory: Memory
}

/** A parsed accumulator such as `{ $sum: "$qty" }`. */
export interface AccumulatorSpec {
  readonly name: string
  /** what each document gives to `add` */
  readonly argument: (scope: Scope) => Maybe
  readonly reads: Dependencies
  /** the argument, when it is the same for every document */
  readonly constant?: Maybe
  /** @param key the group's `_id` when it is a document, else an empty one: what `n` may refer to */
  make (surroundings: Surroundings, key: Scope): Accumulator
}

export type AccumulatorParser = (argument: Value, scope: StageScope, name: string) => AccumulatorSpec

/** An accumulator of a single expression. */
export function unary (name: string, expression: Expression, make: (surroundings: Surroundings) => Accumulator): AccumulatorSpec {
  return {
    name,
    argument: expression.evaluate,
    reads: expression.dependencies,
    constant: expression.isConstant ? expression.constant : undefined,
    make
  }
}

export const parseArgument = (argument: Value, scope: StageScope): Expression => compileExpression(argument, scope.ctx)
