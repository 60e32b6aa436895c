import type { Vars } from '../../expressions/context.js'
import { Vars as NoVars, compileExpression } from '../../expressions/index.js'
import type { Expression } from '../../expressions/index.js'
import { MongoError } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { Doc, isDoc } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import { enter, explained, scopeFor } from '../stage.js'
import type { StageParser, StageScope } from '../stage.js'

const DESCEND = 'descend'
const PRUNE = 'prune'
const KEEP = 'keep'

export const parseRedact: StageParser = (spec, scope) => {
  const variables = (scope.ctx.variables ?? NoVars.none).with('DESCEND', DESCEND).with('PRUNE', PRUNE).with('KEEP', KEEP).declare(['CURRENT'])
  const expression = compileExpression(spec, { ...scope.ctx, variables })
  return {
    name: '$redact',
    reads: 'all',
    closes: false,
    * run (source, vars) {
      const redact = new Redaction(expression, scope, vars.with('DESCEND', DESCEND).with('PRUNE', PRUNE).with('KEEP', KEEP))
      for (const doc of source) {
        const seen = redact.document(doc)
        if (seen !== undefined) yield scope.metas.carry(doc, seen)
      }
    },
    explain: () => explained('$redact', spec)
  }
}

class Redaction {
  #root: Doc = Doc.of()

  constructor (private readonly expression: Expression, private readonly scope: StageScope, private readonly vars: Vars) {}

  document (doc: Doc): Doc | undefined {
    this.#root = doc
    return this.#level(doc)
  }

  /** `$$CURRENT` is the level in question, `$$ROOT` stays the whole document. */
  #level (doc: Doc): Doc | undefined {
    const at = scopeFor(this.scope, this.vars.with('CURRENT', doc))
    const verdict = this.expression.evaluate(enter(at, this.#root, this.scope.metas))
    if (verdict === KEEP) return doc
    if (verdict === PRUNE) return undefined
    if (verdict === DESCEND) return this.#inside(doc)
    throw new MongoError(17053, "$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, " +
      `but returned ${display(verdict)}`)
  }

  #inside (doc: Doc): Doc {
    const kept: [string, Value][] = []
    for (const [key, value] of doc) {
      const seen = this.#value(value)
      if (seen !== undefined) kept.push([key, seen])
    }
    return Doc.of(kept)
  }

  #value (value: Value): Maybe {
    if (isDoc(value)) return this.#level(value)
    if (!Array.isArray(value)) return value
    return value.map(element => isDoc(element) || Array.isArray(element) ? this.#value(element) : element).filter(element => element !== undefined)
  }
}
