import { compileExpression, scopeOf } from '../../expressions/index.js'
import { MongoError } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { typeName } from '../../values/order.js'
import { isDoc } from '../../values/types.js'
import type { Doc, Value } from '../../values/types.js'
import { explained } from '../stage.js'
import type { StageParser } from '../stage.js'

export const parseDocuments: StageParser = (spec, scope) => {
  const expression = compileExpression(spec, scope.ctx)
  return {
    name: '$documents',
    reads: [],
    closes: true,
    role: { kind: 'source' },
    * run (_source, vars) {
      const array = expression.evaluate({ ...scopeOf(undefined, scope.ctx), vars })
      if (!Array.isArray(array)) throw new MongoError(5858203, `an array is expected by $documents, found ${typeName(array)}`)
      for (const value of array) yield documentOf(value)
    },
    explain: () => explained('$documents', spec)
  }
}

function documentOf (value: Value): Doc {
  if (isDoc(value)) return value
  throw new MongoError(40228, `'newRoot' expression  must evaluate to an object, but resulting value was: ${display(value)}. ` +
    `Type of resulting value: '${typeName(value)}'.`)
}
