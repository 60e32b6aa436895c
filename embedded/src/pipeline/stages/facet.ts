import { checkFieldName } from '../../expressions/index.js'
import { MongoError } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { typeName } from '../../values/order.js'
import { Doc, isDoc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { MEMORY_LIMIT, Memory, approximateSize } from '../memory.js'
import { explained, mergeDependencies } from '../stage.js'
import type { Compiled, StageParser, StageScope } from '../stage.js'
import type { Dependencies } from '../types.js'

const INPUT_LIMIT = 4 * MEMORY_LIMIT

type Facet = { readonly name: string, readonly pipeline: Compiled, readonly reads: Dependencies }

export const parseFacet: StageParser = (spec, scope) => {
  if (!isDoc(spec) || spec.size === 0) throw new MongoError(40169, `the $facet specification must be a non-empty object, but found: $facet: ${display(spec)}`)
  const facets = Array.from(spec, ([name, value]) => parseOne(name, value, scope))
  return {
    name: '$facet',
    reads: mergeDependencies(facets.map(({ reads }) => reads)),
    closes: true,
    * run (source, vars) {
      const input = facets.length === 1 ? source : gather(source, inputMemory())
      const memory = facetMemory()
      const result = Doc.of()
      for (const { name, pipeline } of facets) result.set(name, gather(pipeline.runOver(input, vars), memory))
      yield result
    },
    explain: () => explained('$facet', spec)
  }
}

function parseOne (name: string, value: Value, scope: StageScope): Facet {
  checkFieldName(name)
  if (!Array.isArray(value)) throw new MongoError(40170, `arguments to $facet must be arrays, ${name} is type ${typeName(value)}`)
  const stages = value.map(stage => {
    if (isDoc(stage)) return stage
    throw new MongoError(40171, `elements of arrays in $facet spec must be non-empty objects, ${name} argument contained an element of type ` +
      `${typeName(stage)}: ${display(stage)}`)
  })
  const pipeline = scope.compile(stages, undefined, scope, '$facet', scope.ctx.variables)
  return { name, pipeline, reads: pipeline.reads }
}

/** All facets read the same documents, which are held for them. */
const inputMemory = (): Memory => new Memory(() =>
  new MongoError(146, `$facet used too much memory and cannot spill to disk. Memory limit: ${INPUT_LIMIT} bytes`), INPUT_LIMIT)

const facetMemory = (): Memory => new Memory(() =>
  new MongoError(4031700, `document constructed by $facet exceeds the limit of ${MEMORY_LIMIT} bytes`))

function gather (docs: Iterable<Doc>, memory: Memory): Doc[] {
  const gathered: Doc[] = []
  for (const doc of docs) {
    memory.grow(approximateSize(doc))
    gathered.push(doc)
  }
  return gathered
}
