import { MongoError, failedToParse } from '../../values/errors.js'
import { typeName } from '../../values/order.js'
import { Doc, isDoc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { parseFields, stringArray } from '../specs.js'
import type { Fields } from '../specs.js'
import type { Stage, StageParser } from '../stage.js'
import { addFieldsStage } from './project.js'
import { parseSetWindowFields } from './set-window-fields.js'

const RULES = new Map([
  ['partitionBy', { types: ['string', 'object'] }], ['partitionByFields', { types: ['array'] }], ['sortBy', { types: ['object'] }],
  ['output', { types: ['object'], required: true }]
])
const OUTPUT_RULES = new Map([['value', {}], ['method', { types: ['string'] }]])
const FUNCTIONS: ReadonlyMap<string, string> = new Map([['locf', '$locf'], ['linear', '$linearFill']])

export const parseFill: StageParser = (spec, scope, name) => {
  if (!isDoc(spec)) throw failedToParse(`The $fill stage specification must be an object, found ${typeName(spec)}`)
  const fields = parseFields('$fill', spec, RULES)
  const output = fields.get('output') as Doc
  if (output.size === 0) throw new MongoError(6050203, "The output field in '$fill' must contain an object with at least one element")
  const computed = Doc.of()
  const constants = Doc.of()
  for (const [field, value] of output) readOutput(field, value, computed, constants)
  const window = windowSpec(fields, computed)
  const stages: Stage[] = computed.size === 0 ? [] : [parseSetWindowFields(window, scope, name)].flat()
  if (constants.size > 0) stages.push(addFieldsStage('$addFields', constants, scope))
  return stages
}

function readOutput (field: string, value: Value, computed: Doc, constants: Doc): void {
  if (!isDoc(value)) throw new MongoError(6050200, 'Each fill output specification must be an object with exactly one field')
  const fields = parseFields('$fill', value, OUTPUT_RULES)
  const method = fields.get('method') as string | undefined
  const constant = fields.get('value')
  if (method !== undefined) {
    if (constant !== undefined) {
      throw new MongoError(6050201, "Each fill output specification must have exactly one of 'method' or 'value' fields, not both")
    }
    const name = FUNCTIONS.get(method)
    if (name === undefined) throw new MongoError(6050202, 'Method must be either locf or linear')
    computed.set(field, Doc.of([[name, `$${field}`]]))
  } else if (constant !== undefined) {
    constants.set(field, Doc.of([['$ifNull', [`$${field}`, constant]]]))
  }
}

function windowSpec (fields: Fields, output: Doc): Doc {
  const spec = Doc.of([['output', output]])
  const sortBy = fields.get('sortBy')
  if (sortBy !== undefined) spec.set('sortBy', sortBy)
  const partitionBy = fields.get('partitionBy')
  const partitionByFields = fields.get('partitionByFields')
  if (partitionBy !== undefined) {
    if (partitionByFields !== undefined) {
      throw new MongoError(6050204, "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'")
    }
    spec.set('partitionBy', partitionBy)
  }
  if (partitionByFields !== undefined) {
    const names = stringArray('$fill.partitionByFields', partitionByFields)
    spec.set('partitionBy', Doc.of(names.map(name => [name, `$${name}`])))
  }
  return spec
}
