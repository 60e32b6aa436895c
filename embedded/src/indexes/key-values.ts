import { arrayIndex } from '../matcher/paths.js'
import { MongoError } from '../values/errors.js'
import { Doc, Undefined } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

/** One key of an index: a value for each of its fields; missing is `undefined`. */
export type KeyValues = readonly Maybe[]

export type Extracted = {
  readonly keys: readonly KeyValues[]
  /** for each field the parts of its path (as bits) that led to an array; empty when there was none at all */
  readonly arrays: readonly number[]
}

/** A field of an index while its path is followed. */
type Field = {
  readonly parts: readonly string[]
  /** the next part */
  readonly at: number
  /** the value is found */
  readonly done: boolean
  readonly value: Maybe
  /** where the path goes on, when that is not the document at hand: an array element that a number in the path names */
  readonly from: { readonly value: Value } | undefined
}

type State = { keys: KeyValues[], arrays: number[] }
type Met = { readonly field: Field, readonly array: readonly Value[] | undefined, readonly name: string }

const NO_ARRAYS: readonly number[] = []

/**
 * The keys of a document as MongoDB makes them: arrays on a path give a key for each element, fields below one array
 * are taken from the same element, and two different arrays are an error.
 * @param paths the index's fields, taken apart
 */
export function extractKeys (doc: Doc, paths: readonly (readonly string[])[]): Extracted {
  const simple = withoutArrays(doc, paths)
  if (simple !== undefined) return { keys: [simple], arrays: NO_ARRAYS }
  const state: State = { keys: [], arrays: paths.map(() => 0) }
  expand(doc, paths.map(parts => ({ parts, at: 0, done: false, value: undefined, from: undefined })), state)
  return state
}

function withoutArrays (doc: Doc, paths: readonly (readonly string[])[]): Maybe[] | undefined {
  const values: Maybe[] = []
  for (const parts of paths) {
    let value: Maybe = doc
    for (const part of parts) {
      if (Array.isArray(value)) return undefined
      value = value instanceof Doc ? value.get(part) : undefined
    }
    if (Array.isArray(value)) return undefined
    values.push(value)
  }
  return values
}

const found = (field: Field, value: Maybe): Met => ({ field: { ...field, done: true, value }, array: undefined, name: '' })

/** Follows a path to its value or to the first array on it. */
function follow (doc: Doc | undefined, field: Field): Met {
  if (field.done) return { field, array: undefined, name: '' }
  const { parts, from } = field
  let value: Maybe = from === undefined ? doc : from.value
  let at = field.at
  if (Array.isArray(value)) return { field: { ...field, from: undefined }, array: value, name: parts[at - 1] }
  while (at < parts.length) {
    if (!(value instanceof Doc)) return found(field, undefined)
    value = value.get(parts[at++])
    if (Array.isArray(value)) return { field: { ...field, at, from: undefined }, array: value, name: parts[at - 1] }
  }
  return found(field, value)
}

const samePath = (a: Field, b: Field): boolean => a.at === b.at && a.parts.slice(0, a.at).every((part, i) => part === b.parts[i])

const bit = (part: number): number => 1 << Math.min(part, 30)

function expand (doc: Doc | undefined, fields: readonly Field[], state: State): void {
  const met = fields.map(field => follow(doc, field))
  const first = met.find(({ array }) => array !== undefined)
  if (first?.array === undefined) {
    state.keys.push(met.map(({ field }) => field.value))
    return
  }
  met.forEach(({ array, name, field }, i) => {
    if (array === undefined) return
    // a raw document decodes an array anew at each look, so that the same array is known by its path
    if (!samePath(field, first.field)) throw new MongoError(171, `cannot index parallel arrays [${name}] [${first.name}]`)
    state.arrays[i] |= bit(field.at - 1)
  })
  expandArray(first.array, met, state)
}

function expandArray (array: readonly Value[], met: readonly Met[], state: State): void {
  const placed = met.map(({ field, array: below }) => below === undefined ? field : byPosition(array, field))
  const open = placed.map((field, i) => met[i].array !== undefined && field === met[i].field)
  if (!open.includes(true)) return expand(undefined, placed, state)
  // MongoDB indexes an empty array as undefined, below null.
  for (const element of array.length === 0 ? [Undefined.instance] : array) {
    const next = placed.map((field, i) => open[i] && field.at === field.parts.length ? { ...field, done: true, value: element } : field)
    // Below an element only documents are followed; whatever else it is, the rest of the path is missing.
    expand(element instanceof Doc ? element : undefined, next, state)
  }
}

/** A numeric part that names an element of this array: the path goes on there, unless elements have a field of that name. */
function byPosition (array: readonly Value[], field: Field): Field {
  if (field.at === field.parts.length) return field
  const part = field.parts[field.at]
  const index = arrayIndex(part)
  if (index < 0 || index >= array.length) return field
  if (array.some(element => element instanceof Doc && element.has(part))) {
    throw new MongoError(16746, `Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '${part}' for array`)
  }
  const at = field.at + 1
  // An array that stands in an array is no list of keys.
  if (at === field.parts.length) return { ...field, at, done: true, value: array[index] }
  return { ...field, at, from: { value: array[index] } }
}
