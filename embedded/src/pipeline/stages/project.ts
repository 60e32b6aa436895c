import { compileExpression } from '../../expressions/index.js'
import { compileAddFields, compileProjection, compileUnset } from '../../projection/projection.js'
import type { Projection } from '../../projection/projection.js'
import { MongoError } from '../../values/errors.js'
import { toDouble } from '../../values/numbers.js'
import { typeName } from '../../values/order.js'
import { Doc, isDoc, isNumber } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { topField } from '../paths.js'
import { explained, mergeDependencies } from '../stage.js'
import type { Stage, StageParser, StageScope } from '../stage.js'
import type { Dependencies } from '../types.js'
import { transforming } from './transform.js'

const isTrue = (value: Value): boolean => value === true || (isNumber(value) && toDouble(value) !== 0)
const isFalse = (value: Value): boolean => value === false || (isNumber(value) && toDouble(value) === 0)

export const parseProject: StageParser = (spec, scope) => {
  if (!isDoc(spec)) throw new MongoError(15969, '$project specification must be an object')
  const projection = compileProjection(spec, { ctx: scope.ctx, forFind: false })
  return isExclusion(spec) ? exclusion(spec, projection, scope) : inclusion(spec, projection, scope)
}

/** The first field but `_id` decides; `_id` alone speaks for itself. */
function isExclusion (spec: Doc): boolean {
  for (const [path, value] of spec) {
    if (path === '_id') continue
    return excludes(value)
  }
  const id = spec.get('_id')
  return id !== undefined && excludes(id)
}

function excludes (value: Value): boolean {
  if (!isDoc(value)) return isFalse(value)
  const first = value.firstKey()
  return first !== undefined && !first.startsWith('$') && isExclusion(value)
}

function inclusion (spec: Doc, projection: Projection, scope: StageScope): Stage {
  const kept = new Set(['_id'])
  let plain = true
  for (const [path, value] of spec) {
    if (isTrue(value) && !path.includes('.')) kept.add(path)
    else if (!isFalse(value)) plain &&= isTrue(value)
    if (path === '_id' && !isTrue(value)) kept.delete('_id')
  }
  return transforming({
    name: '$project',
    reads: projection.needs,
    closes: true,
    passes: path => kept.has(topField(path)),
    role: plain ? { kind: 'include' } : undefined,
    explain: () => explained('$project', spec)
  }, scope.metas, (doc, vars, meta) => projection.apply(doc, meta, vars))
}

function exclusion (spec: Doc, projection: Projection, scope: StageScope): Stage {
  const touched = new Set(Array.from(spec.keys(), topField))
  return transforming({
    name: '$project',
    reads: [],
    closes: false,
    passes: path => !touched.has(topField(path)),
    explain: () => explained('$project', spec)
  }, scope.metas, (doc, vars, meta) => projection.apply(doc, meta, vars))
}

export const parseAddFields: StageParser = (spec, scope, name) => {
  if (!isDoc(spec)) throw new MongoError(40272, `${name} specification stage must be an object, got ${typeName(spec)}`)
  return addFieldsStage(name, spec, scope)
}

export function addFieldsStage (name: string, spec: Doc, scope: StageScope): Stage {
  const projection = compileAddFields(spec, scope.ctx)
  const touched = new Set(Array.from(spec.keys(), topField))
  return transforming({
    name,
    reads: addFieldsReads(spec, scope),
    closes: false,
    makes: Array.from(spec).filter(([path, value]) => !path.includes('.') && !isNested(value)).map(([path]) => path),
    passes: path => !touched.has(topField(path)),
    explain: () => explained(name, spec)
  }, scope.metas, (doc, vars, meta) => projection.apply(doc, meta, vars))
}

/** What the new values are made of; a field that is set below another needs that one too. */
function addFieldsReads (spec: Doc, scope: StageScope): Dependencies {
  return mergeDependencies(Array.from(spec, ([path, value]) => {
    if (isDoc(value) && isNested(value)) return mergeDependencies([[topField(path)], addFieldsReads(value, scope)])
    const { dependencies } = compileExpression(value, scope.ctx)
    return path.includes('.') ? mergeDependencies([[topField(path)], dependencies]) : dependencies
  }))
}

const isNested = (value: Value): boolean => isDoc(value) && value.firstKey()?.startsWith('$') !== true

export const parseUnset: StageParser = (spec, scope) => {
  const fields = unsetFields(spec)
  const projection = compileUnset(fields, scope.ctx)
  const touched = new Set(fields.map(topField))
  const shown = Doc.of(fields.map(field => [field, false]))
  return transforming({
    name: '$unset',
    reads: [],
    closes: false,
    passes: path => !touched.has(topField(path)),
    explain: () => explained('$project', shown)
  }, scope.metas, doc => projection.apply(doc))
}

function unsetFields (spec: Value): string[] {
  if (typeof spec === 'string') return [spec]
  if (!Array.isArray(spec)) throw new MongoError(31002, '$unset specification must be a string or an array')
  if (spec.length === 0) throw new MongoError(31119, '$unset specification must be a string or an array with at least one field')
  return spec.map(field => {
    if (typeof field === 'string') return field
    throw new MongoError(31120, '$unset specification must be a string or an array containing only string values')
  })
}
