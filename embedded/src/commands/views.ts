import type { Namespace } from '../catalog/types.js'
import { MongoError } from '../values/errors.js'
import { docOf } from '../values/build.js'
import type { Doc, Value } from '../values/types.js'
import { aggregateOn } from './aggregate.js'
import type { Operation } from './operation.js'

const CANNOT: readonly string[] = ['min', 'max', 'returnKey', 'showRecordId', 'tailable', 'awaitData', 'noCursorTimeout']

/** A find on a view is an aggregation. */
export function findOnView (op: Operation, ns: Namespace): Promise<Doc> {
  const { fields } = op
  const stages = viewStages(op)
  const single = fields.flag('singleBatch') || fields.natural('limit') === 1
  return aggregateOn(op, ns, stages, { batchSize: fields.natural('batchSize'), singleBatch: single, hint: fields.hint() })
}

/** The stages that do what a find on a view asks for. */
export function viewStages ({ fields }: Operation): Doc[] {
  for (const name of CANNOT) {
    const value = fields.raw(name)
    if (value !== undefined && value !== false) throw new MongoError(167, `Option ${name} not supported on aggregation`)
  }
  const stages: Doc[] = []
  const add = (name: string, value: Value | undefined): void => {
    if (value !== undefined) stages.push(docOf({ [name]: value }))
  }
  const filled = (name: string): Doc | undefined => {
    const doc = fields.object(name)
    return doc === undefined || doc.size === 0 ? undefined : doc
  }
  const skip = fields.natural('skip') ?? 0
  const limit = fields.natural('limit') ?? 0
  add('$match', filled('filter'))
  add('$sort', filled('sort'))
  add('$skip', skip > 0 ? BigInt(skip) : undefined)
  add('$limit', limit > 0 ? BigInt(limit) : undefined)
  add('$project', filled('projection'))
  return stages
}
