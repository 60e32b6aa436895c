import { MongoError } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { typeName } from '../../values/order.js'
import { isDoc } from '../../values/types.js'
import { explained } from '../stage.js'
import type { StageParser } from '../stage.js'

export const parseCollStats: StageParser = (spec, { context, ns }) => {
  if (!isDoc(spec)) throw new MongoError(40166, `$collStats must take a nested object but found: ${display(spec)}`)
  return {
    name: '$collStats',
    reads: [],
    closes: true,
    role: { kind: 'source' },
    run: () => context.collStats(ns, spec),
    explain: () => explained('$collStats', spec)
  }
}

export const parseIndexStats: StageParser = (spec, { context, ns }) => {
  if (!isDoc(spec) || spec.size !== 0) throw new MongoError(28803, 'The $indexStats stage specification must be an empty object')
  return {
    name: '$indexStats',
    reads: [],
    closes: true,
    role: { kind: 'source' },
    run: () => context.indexStats(ns),
    explain: () => explained('$indexStats', spec)
  }
}

/** The events come from the changes room, through `runOver`. */
export const parseChangeStream: StageParser = spec => {
  if (!isDoc(spec)) throw new MongoError(50808, `$changeStream stage expects a document as argument, found ${typeName(spec)}`)
  return {
    name: '$changeStream',
    reads: [],
    closes: true,
    role: { kind: 'changeStream', spec },
    run: source => source,
    explain: () => explained('$changeStream', spec)
  }
}
