import { compileExpression } from '../../expressions/index.js'
import { MongoError } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { typeName } from '../../values/order.js'
import { isDoc } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import { parseFields } from '../specs.js'
import { enter, explained, scopeFor } from '../stage.js'
import type { Stage, StageParser, StageScope } from '../stage.js'

const RULES = new Map([['newRoot', { required: true }]])

export const parseReplaceRoot: StageParser = (spec, scope) => {
  if (!isDoc(spec)) throw new MongoError(40229, `expected an object as specification for $replaceRoot stage, got ${typeName(spec)}`)
  return replaceStage(parseFields('$replaceRoot', spec, RULES).get('newRoot')!, "'newRoot' expression ", scope)
}

export const parseReplaceWith: StageParser = (spec, scope) => replaceStage(spec, "'replacement document' ", scope)

function replaceStage (newRoot: Value, what: string, scope: StageScope): Stage {
  const expression = compileExpression(newRoot, scope.ctx)
  return {
    name: '$replaceRoot',
    reads: expression.dependencies,
    closes: true,
    * run (source, vars) {
      const at = scopeFor(scope, vars)
      for (const doc of source) {
        const root = expression.evaluate(enter(at, doc, scope.metas))
        if (!isDoc(root)) throw notADocument(what, root)
        yield scope.metas.carry(doc, root)
      }
    },
    explain: () => explained('$replaceRoot', newRoot)
  }
}

const notADocument = (what: string, value: Maybe): MongoError =>
  new MongoError(40228, `${what} must evaluate to an object, but resulting value was: ${display(value)}. Type of resulting value: '${typeName(value)}'.`)
