import { nullish } from '../expressions/index.js'
import { MongoError, notSupported, typeMismatch } from '../values/errors.js'
import { display } from '../values/format.js'
import { Sum, divide, toDouble } from '../values/numbers.js'
import type { NumberValue } from '../values/numbers.js'
import { compare, hashKey, typeName } from '../values/order.js'
import { Decimal128, Doc, Double, Int32, isDoc, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { parseArgument, unary } from './accumulator.js'
import type { Accumulator, AccumulatorParser, AccumulatorSpec, Surroundings } from './accumulator.js'
import { parseExtremeN, parseFirstLastN } from './accumulators-n.js'
import { parseTopBottom } from './accumulators-top.js'
import { accumulatorMemory, approximateSize } from './memory.js'
import type { Memory } from './memory.js'
import type { StageScope } from './stage.js'

class SumAccumulator implements Accumulator {
  readonly #sum = new Sum()

  add (value: Maybe): void {
    if (isNumber(value)) this.#sum.add(value)
  }

  result (): Value {
    return this.#sum.result()
  }
}

/** `$sum` of a constant 32-bit integer, above all of 1. */
class CountAccumulator implements Accumulator {
  #count = 0

  constructor (private readonly step: number) {}

  add (): void {
    this.#count++
  }

  result (): Value {
    const total = this.step * this.#count
    return total === (total | 0) ? new Int32(total) : BigInt(this.step) * BigInt(this.#count)
  }
}

export class AverageAccumulator implements Accumulator {
  readonly #sum = new Sum()
  #count = 0

  add (value: Maybe): void {
    if (!isNumber(value)) return
    this.#sum.add(value)
    this.#count++
  }

  result (): Value {
    return averageOf(this.#sum.result(), this.#count)
  }
}

export function averageOf (sum: NumberValue, count: number): Value {
  if (count === 0) return null
  return sum instanceof Decimal128 ? divide(sum, BigInt(count)) : new Double(toDouble(sum) / count)
}

class ExtremeAccumulator implements Accumulator {
  #best: Maybe

  /** @param sign -1 for the least, 1 for the greatest */
  constructor (private readonly sign: 1 | -1, private readonly surroundings: Surroundings) {}

  add (value: Maybe): void {
    if (nullish(value)) return
    if (this.#best === undefined || compare(value, this.#best, this.surroundings.collation) * this.sign > 0) this.#best = value
  }

  result (): Maybe {
    return this.#best
  }
}

class FirstAccumulator implements Accumulator {
  #seen = false
  #value: Maybe

  add (value: Maybe): void {
    if (this.#seen) return
    this.#seen = true
    this.#value = value
  }

  result (): Maybe {
    return this.#value
  }
}

class LastAccumulator implements Accumulator {
  #value: Maybe

  add (value: Maybe): void {
    this.#value = value
  }

  result (): Maybe {
    return this.#value
  }
}

class PushAccumulator implements Accumulator {
  readonly #values: Value[] = []
  readonly #own = accumulatorMemory('$push')

  constructor (private readonly memory: Memory) {}

  add (value: Maybe): void {
    if (value === undefined) return
    const size = approximateSize(value)
    this.#own.grow(size)
    this.memory.grow(size)
    this.#values.push(value)
  }

  result (): Value {
    return this.#values
  }
}

class AddToSetAccumulator implements Accumulator {
  readonly #values = new Map<string, Value>()
  readonly #own = accumulatorMemory('$addToSet')

  constructor (private readonly surroundings: Surroundings) {}

  add (value: Maybe): void {
    if (value === undefined) return
    const key = hashKey(value, this.surroundings.collation)
    if (this.#values.has(key)) return
    const size = approximateSize(value) + key.length
    this.#own.grow(size)
    this.surroundings.memory.grow(size)
    this.#values.set(key, value)
  }

  result (): Value {
    return [...this.#values.values()]
  }
}

class MergeObjectsAccumulator implements Accumulator {
  readonly #merged = Doc.of()

  constructor (private readonly memory: Memory) {}

  add (value: Maybe): void {
    if (!isDoc(value)) {
      if (nullish(value)) return
      throw new MongoError(40400, `$mergeObjects requires object inputs, but input ${display(value)} is of type ${typeName(value)}`)
    }
    for (const [key, field] of value) {
      if (!this.#merged.has(key)) this.memory.grow(key.length + approximateSize(field))
      this.#merged.set(key, field)
    }
  }

  result (): Value {
    return this.#merged
  }
}

/** Welford's online algorithm, in doubles as MongoDB has it. */
class DeviationAccumulator implements Accumulator {
  #count = 0
  #mean = 0
  #squares = 0

  constructor (private readonly isSample: boolean) {}

  add (value: Maybe): void {
    if (!isNumber(value)) return
    const number = toDouble(value)
    this.#count++
    const delta = number - this.#mean
    if (delta === 0) return
    this.#mean += delta / this.#count
    this.#squares += delta * (number - this.#mean)
  }

  result (): Value {
    const count = this.isSample ? this.#count - 1 : this.#count
    return count <= 0 ? null : new Double(Math.sqrt(this.#squares / count))
  }
}

const simple = (make: (surroundings: Surroundings) => Accumulator): AccumulatorParser =>
  (argument, scope, name) => unary(name, parseArgument(argument, scope), make)

const parseSum: AccumulatorParser = (argument, scope, name) => {
  const spec = unary(name, parseArgument(argument, scope), () => new SumAccumulator())
  const { constant } = spec
  return constant instanceof Int32 ? { ...spec, make: () => new CountAccumulator(constant.value) } : spec
}

const parseCount: AccumulatorParser = (argument, _scope, name) => {
  if (!isDoc(argument) || argument.size !== 0) throw typeMismatch('$count takes no arguments, i.e. $count:{}')
  return { name, argument: () => undefined, reads: [], constant: Int32.of(1), make: () => new CountAccumulator(1) }
}

const refuse: AccumulatorParser = (_argument, _scope, name) => {
  throw notSupported(`the accumulator ${name}`)
}

const PARSERS: ReadonlyMap<string, AccumulatorParser> = new Map([
  ['$sum', parseSum],
  ['$count', parseCount],
  ['$avg', simple(() => new AverageAccumulator())],
  ['$min', simple(surroundings => new ExtremeAccumulator(-1, surroundings))],
  ['$max', simple(surroundings => new ExtremeAccumulator(1, surroundings))],
  ['$first', simple(() => new FirstAccumulator())],
  ['$last', simple(() => new LastAccumulator())],
  ['$push', simple(({ memory }) => new PushAccumulator(memory))],
  ['$addToSet', simple(surroundings => new AddToSetAccumulator(surroundings))],
  ['$mergeObjects', simple(({ memory }) => new MergeObjectsAccumulator(memory))],
  ['$stdDevPop', simple(() => new DeviationAccumulator(false))],
  ['$stdDevSamp', simple(() => new DeviationAccumulator(true))],
  ['$firstN', parseFirstLastN],
  ['$lastN', parseFirstLastN],
  ['$minN', parseExtremeN],
  ['$maxN', parseExtremeN],
  ['$top', parseTopBottom],
  ['$topN', parseTopBottom],
  ['$bottom', parseTopBottom],
  ['$bottomN', parseTopBottom],
  ['$accumulator', refuse],
  ['$median', refuse],
  ['$percentile', refuse]
])

export function parseAccumulator (name: string, argument: Value, scope: StageScope): AccumulatorSpec {
  const parse = PARSERS.get(name)
  if (parse === undefined) throw new MongoError(15952, `unknown group operator '${name}'`)
  return parse(argument, scope, name)
}

/** A field of `$group` and the like: `total: { $sum: "$qty" }`. */
export function parseAccumulatedField (field: string, value: Value, scope: StageScope): AccumulatorSpec {
  const name = isDoc(value) ? value.firstKey() : undefined
  if (!isDoc(value) || name === undefined || !name.startsWith('$')) throw new MongoError(40234, `The field '${field}' must be an accumulator object`)
  if (field.includes('.')) throw new MongoError(40235, `The field name '${field}' cannot contain '.'`)
  if (field.startsWith('$')) throw new MongoError(40236, `The field name '${field}' cannot be an operator name`)
  if (value.size !== 1) throw new MongoError(40238, `The field '${field}' must specify one accumulator`)
  const argument = value.get(name)!
  if (Array.isArray(argument)) throw new MongoError(40237, `The ${name} accumulator is a unary operator`)
  return parseAccumulator(name, argument, scope)
}
