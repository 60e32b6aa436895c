import type { BsonDate, Doc, Maybe, Timestamp, Value } from '../values/types.js'

/** The value stays as it is, also when an equal one could be put in its place. */
export const NOOP: unique symbol = Symbol('noop')
/** The field goes; in an array null takes its place. */
export const REMOVE: unique symbol = Symbol('remove')

export type Outcome = Value | typeof NOOP | typeof REMOVE

/** Where an operator is applied. */
export type Place = {
  readonly path: readonly string[]
  /** the document as it was before the update */
  readonly root: Doc
  readonly inArray: boolean
  /** the nearest array field on the path, if any */
  readonly arrayAbove: string | undefined
  readonly now: BsonDate
  readonly timestamp: Timestamp
}

/** One operator with its operand, at the end of a path. */
export type Leaf = {
  readonly kind: 'leaf'
  /** the operator, for messages */
  readonly name: string
  /** levels of nesting that the operand brings along */
  readonly depth?: number
  /** $setOnInsert */
  readonly insertOnly?: boolean
  update (current: Value, place: Place): Outcome
  /** For a path that does not exist; left out by operators that create nothing. */
  create? (place: Place): Outcome
  /** $unset does not mind a path that cannot exist. */
  readonly toleratesNonViable?: boolean
  /** How many elements an update appended to the array that it was given, when that is all it did. */
  appended? (before: Maybe, after: Value): number | undefined
}

export const dotted = (path: readonly string[]): string => path.join('.')
