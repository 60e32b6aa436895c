import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { compileExpression, splitPath } from '../expressions/index.js'
import type { ParseContext } from '../expressions/index.js'
import { Computed } from './computed.js'

type Field = readonly [path: readonly string[], spec: Value]

/** A document in the specification is a nested specification unless it is an operator or empty. */
export function parseAddFields (spec: Doc, ctx: ParseContext): Computed {
  const fields = Array.from(spec, ([name, value]) => fieldsOf(splitPath(name), value, spec)).flat()
  checkConflicts(fields, spec)
  const computed = new Computed()
  for (const [path, value] of fields) computed.add(path, compileExpression(value, ctx).evaluate)
  return computed
}

function fieldsOf (path: readonly string[], value: Value, whole: Doc): Field[] {
  if (!(value instanceof Doc) || value.firstKey() === undefined || isOperator(value, whole)) return [[path, value]]
  return Array.from(value, ([name, nested]) => {
    if (name.includes('.')) throw new MongoError(40183, `cannot use dotted field name '${name}' in a sub object: ${display(whole)}`)
    return fieldsOf([...path, ...splitPath(name)], nested, whole)
  }).flat()
}

function isOperator (value: Doc, whole: Doc): boolean {
  if (![...value.keys()].some(name => name.startsWith('$'))) return false
  if (value.size === 1) return true
  throw new MongoError(40181, 'an expression specification must contain exactly one field, the name of the expression. ' +
    `Found ${value.size} fields in ${display(value)}, while parsing object ${display(whole)}`)
}

function checkConflicts (fields: readonly Field[], spec: Doc): void {
  const paths = fields.map(([path]) => path.join('.'))
  const seen = new Set<string>()
  const conflict = (a: string, b: string): MongoError =>
    new MongoError(40176, `specification contains two conflicting paths. Cannot specify both '${a}' and '${b}': ${display(spec)}`)
  for (const path of paths) {
    if (seen.has(path)) throw conflict(path, path)
    seen.add(path)
  }
  for (const path of paths) {
    for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
      if (seen.has(path.slice(0, dot))) throw conflict(path, path.slice(0, dot))
    }
  }
}
