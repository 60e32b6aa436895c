import { MongoError, badValue } from '../values/errors.js'
import { Doc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { identical } from './identical.js'
import { NOOP, REMOVE, dotted } from './leaf.js'
import type { Leaf, Outcome, Place } from './leaf.js'
import { cannotTraverse, describeId } from './messages.js'
import { isIdentifier } from './tree.js'
import { checkDepth, depthOf } from './validate.js'

/** Takes the value from where it was before the update: no other operator can have changed it. */
export function rename (from: string, to: string): Leaf {
  if (to.includes('\0')) throw badValue("The 'to' field for $rename cannot contain an embedded null byte")
  const source = from.split('.')
  checkPaths(source, to.split('.'), `${from}: "${to}"`)
  const apply = (current: Maybe, place: Place): Outcome => {
    const value = sourceValue(place.root, source)
    if (value === undefined) return NOOP
    checkTarget(place, to)
    checkDepth(place.path.length + depthOf(value))
    return current !== undefined && identical(current, value) ? NOOP : value
  }
  return { kind: 'leaf', name: '$rename', update: apply, create: place => apply(undefined, place) }
}

/** Stands where the value comes from. */
export const renameSource: Leaf = { kind: 'leaf', name: '$rename', update: () => REMOVE, toleratesNonViable: true }

const isPrefix = (a: readonly string[], b: readonly string[]): boolean => a.length <= b.length && a.every((part, i) => part === b[i])
const isDynamic = (path: readonly string[]): boolean => path.some(part => part === '$' || isIdentifier(part))

function checkPaths (from: readonly string[], to: readonly string[], shown: string): void {
  if (dotted(from) === dotted(to)) throw badValue(`The source and target field for $rename must differ: ${shown}`)
  if (isPrefix(from, to) || isPrefix(to, from)) throw badValue(`The source and target field for $rename must not be on the same path: ${shown}`)
  if (isDynamic(from)) throw badValue(`The source field for $rename may not be dynamic: ${dotted(from)}`)
  if (isDynamic(to)) throw badValue(`The destination field for $rename may not be dynamic: ${dotted(to)}`)
}

function sourceValue (root: Doc, path: readonly string[]): Maybe {
  let value: Maybe = root
  let array: string | undefined
  for (let i = 0; i < path.length && value !== undefined; i++) {
    if (Array.isArray(value)) array ??= path[i - 1]
    value = step(value, path, i)
  }
  if (value !== undefined && array !== undefined) throw arrayElement('source', root, path, array)
  return value
}

function step (value: Value, path: readonly string[], i: number): Maybe {
  if (value instanceof Doc) return value.get(path[i])
  if (Array.isArray(value) && /^\d+$/.test(path[i])) return value[Number(path[i])]
  throw cannotTraverse(path, i, value)
}

function checkTarget (place: Place, to: string): void {
  if (place.arrayAbove === undefined) return
  throw arrayElement('destination', place.root, to.split('.'), place.arrayAbove)
}

const arrayElement = (which: 'source' | 'destination', root: Doc, path: readonly string[], array: string): MongoError =>
  badValue(`The ${which} field cannot be an array element, '${dotted(path)}' in doc with ${describeId(root)} has an array field called '${array}'`)
