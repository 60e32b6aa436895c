import { failedToParse } from '../../values/errors.js'
import { typeName } from '../../values/order.js'
import { isDoc } from '../../values/types.js'
import type { Doc, Value } from '../../values/types.js'
import { Foreign } from '../foreign.js'
import { parseFields, pipelineOf } from '../specs.js'
import { explained } from '../stage.js'
import type { StageParser } from '../stage.js'

const RULES = new Map([['coll', { types: ['string'] }], ['pipeline', { types: ['array'] }]])

export const parseUnionWith: StageParser = (spec, scope) => {
  const { coll, pipeline } = readSpec(spec)
  const foreign = new Foreign({ db: scope.ns.db, coll }, pipeline, scope, '$unionWith', scope.ctx.variables, false)
  return {
    name: '$unionWith',
    // the documents of the other collection come as they are: what is read of this one is for later stages to say
    reads: [],
    closes: false,
    * run (source, vars) {
      yield * source
      yield * foreign.run(undefined, vars)
    },
    explain: () => explained('$unionWith', spec)
  }
}

function readSpec (spec: Value): { coll: string, pipeline: readonly Doc[] } {
  if (typeof spec === 'string') return { coll: spec, pipeline: [] }
  if (!isDoc(spec)) throw failedToParse(`the $unionWith stage specification must be an object or string, but found ${typeName(spec)}`)
  const fields = parseFields('$unionWith', spec, RULES)
  const stages = fields.get('pipeline')
  const pipeline = stages === undefined ? [] : pipelineOf(stages)
  const coll = fields.get('coll') as string | undefined
  if (coll === undefined && pipeline[0]?.has('$documents') !== true) {
    throw failedToParse('$unionWith stage without explicit collection must have a pipeline with $documents as first stage')
  }
  return { coll: coll ?? '', pipeline }
}
