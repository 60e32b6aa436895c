import type { Scope, Vars } from '../../expressions/context.js'
import { compileExpression } from '../../expressions/index.js'
import { MongoError } from '../../values/errors.js'
import { hashKey } from '../../values/order.js'
import { Doc, isDoc, isNumber } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import type { Accumulator, AccumulatorSpec } from '../accumulator.js'
import { parseAccumulatedField } from '../accumulators.js'
import { approximateSize, groupMemory } from '../memory.js'
import { enter, explained, mergeDependencies, scopeFor } from '../stage.js'
import type { Stage, StageParser, StageScope } from '../stage.js'
import type { Dependencies } from '../types.js'

export type GroupId = { readonly evaluate: (scope: Scope) => Maybe, readonly reads: Dependencies }
export type AccumulatedField = { readonly field: string, readonly spec: AccumulatorSpec }

export const parseGroup: StageParser = (spec, scope) => {
  if (!isDoc(spec)) throw new MongoError(15947, "a group's fields must be specified in an object")
  let id: GroupId | undefined
  const fields: AccumulatedField[] = []
  for (const [field, value] of spec) {
    if (field === '_id') id = parseId(value, scope)
    else fields.push({ field, spec: parseAccumulatedField(field, value, scope) })
  }
  if (id === undefined) throw new MongoError(15955, 'a group specification must include an _id')
  return groupStage(id, fields, scope, explained('$group', spec))
}

function parseId (value: Value, scope: StageScope): GroupId {
  const isObject = isDoc(value) && value.firstKey()?.startsWith('$') === false
  if (isObject && [...value.values()].some(field => isNumber(field) || typeof field === 'boolean')) {
    throw new MongoError(17390, '$group does not support inclusion-style expressions')
  }
  const { evaluate, dependencies } = compileExpression(value, scope.ctx)
  return { evaluate, reads: dependencies }
}

type Group = { readonly id: Value, readonly accumulators: readonly Accumulator[] }

const BASE_SIZE = 64
const ACCUMULATOR_SIZE = 80

/** The groups of one run. */
class Groups {
  readonly #memory = groupMemory()
  // strings need no hash text of their own
  readonly #byText = new Map<string, Group>()
  readonly #byKey = new Map<string, Group>()
  readonly #all: Group[] = []
  readonly #surroundings

  constructor (private readonly fields: readonly AccumulatedField[], private readonly scope: StageScope, private readonly vars: Vars) {
    this.#surroundings = { collation: scope.ctx.collation, memory: this.#memory }
  }

  of (id: Value): Group {
    const { collation } = this.#surroundings
    const isText = typeof id === 'string' && collation === undefined
    const key = isText ? id : hashKey(id, collation)
    const map = isText ? this.#byText : this.#byKey
    let group = map.get(key)
    if (group === undefined) {
      group = this.#make(id, key)
      map.set(key, group)
      this.#all.push(group)
    }
    return group
  }

  #make (id: Value, key: string): Group {
    this.#memory.grow(BASE_SIZE + key.length + approximateSize(id) + this.fields.length * ACCUMULATOR_SIZE)
    const at = scopeFor(this.scope, this.vars)
    at.root = isDoc(id) ? id : Doc.of()
    return { id, accumulators: this.fields.map(({ spec }) => spec.make(this.#surroundings, at)) }
  }

  * documents (): Iterable<Doc> {
    for (const { id, accumulators } of this.#all) yield this.#document(id, accumulators)
  }

  #document (id: Value, accumulators: readonly Accumulator[]): Doc {
    const doc = Doc.of([['_id', id]])
    this.fields.forEach(({ field }, i) => doc.set(field, accumulators[i].result() ?? null))
    return doc
  }
}

export function groupStage (id: GroupId, fields: readonly AccumulatedField[], scope: StageScope, shown: Doc): Stage {
  const specs = fields.map(({ spec }) => spec)
  const { metas } = scope
  return {
    name: '$group',
    reads: mergeDependencies([id.reads, ...specs.map(spec => spec.reads)]),
    closes: true,
    * run (source, vars) {
      const groups = new Groups(fields, scope, vars)
      const at = scopeFor(scope, vars)
      for (const doc of source) {
        enter(at, doc, metas)
        const { accumulators } = groups.of(id.evaluate(at) ?? null)
        for (let i = 0; i < specs.length; i++) {
          const { constant, argument } = specs[i]
          accumulators[i].add(constant === undefined ? argument(at) : constant)
        }
      }
      yield * groups.documents()
    },
    explain: () => shown
  }
}
