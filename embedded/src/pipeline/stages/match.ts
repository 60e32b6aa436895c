import { compileMatch } from '../../matcher/match.js'
import { parseFilter } from '../../matcher/parse.js'
import type { FilterNode } from '../../matcher/ast.js'
import { MongoError } from '../../values/errors.js'
import { isDoc } from '../../values/types.js'
import type { Doc } from '../../values/types.js'
import { filterReads } from '../filters.js'
import { explained } from '../stage.js'
import type { Stage, StageParser, StageScope } from '../stage.js'

export const parseMatch: StageParser = (spec, scope) => {
  if (!isDoc(spec)) throw new MongoError(15959, 'the match filter must be an expression in an object')
  return matchStage(spec, parseFilter(spec, scope.ctx), scope)
}

export function matchStage (spec: Doc, node: FilterNode, scope: StageScope): Stage {
  const match = compileMatch(node, scope.ctx)
  const { metas } = scope
  return {
    name: '$match',
    reads: filterReads(node),
    closes: false,
    passes: () => true,
    role: { kind: 'match', spec, node },
    * run (source, vars) {
      for (const doc of source) if (match.test(doc, vars, metas.get(doc))) yield doc
    },
    explain: () => explained('$match', spec)
  }
}
