import { MongoError } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { asLong } from '../../values/numbers.js'
import { isNumber } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { explained } from '../stage.js'
import type { Stage, StageParser } from '../stage.js'

function nonNegative (value: Value, name: string, code: number): number {
  const refuse = (why: string): MongoError => new MongoError(code, `invalid argument to ${name} stage: ${why}${name}: ${display(value)}`)
  if (!isNumber(value)) throw refuse('Expected a number in: ')
  const long = asLong(value)
  if (long === undefined) throw refuse('Expected an integer: ')
  if (long < 0n) throw refuse('Expected a non-negative number in: ')
  return Number(long)
}

export const parseLimit: StageParser = spec => {
  const count = nonNegative(spec, '$limit', 5107201)
  if (count === 0) throw new MongoError(15958, 'the limit must be positive')
  return limitStage(count)
}

export const limitStage = (count: number): Stage => ({
  name: '$limit',
  reads: [],
  closes: false,
  role: { kind: 'limit', count },
  * run (source) {
    let left = count
    for (const doc of source) {
      yield doc
      if (--left === 0) return
    }
  },
  explain: () => explained('$limit', BigInt(count))
})

export const parseSkip: StageParser = spec => {
  const count = nonNegative(spec, '$skip', 5107200)
  return {
    name: '$skip',
    reads: [],
    closes: false,
    role: { kind: 'skip', count },
    * run (source) {
      let left = count
      for (const doc of source) {
        if (left > 0) left--
        else yield doc
      }
    },
    explain: () => explained('$skip', BigInt(count))
  }
}
