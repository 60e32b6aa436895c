import type { Scope } from '../expressions/context.js'
import { nullish } from '../expressions/index.js'
import type { Expression } from '../expressions/index.js'
import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { toDouble } from '../values/numbers.js'
import { compare } from '../values/order.js'
import { isDoc, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { parseArgument } from './accumulator.js'
import type { Accumulator, AccumulatorParser, Surroundings } from './accumulator.js'
import { accumulatorMemory, approximateSize } from './memory.js'
import type { Memory } from './memory.js'
import type { StageScope } from './stage.js'

/** The value of `n`, which must be a positive integer. */
export function validateN (value: Maybe): number {
  if (!isNumber(value)) throw new MongoError(5787902, `Value for 'n' must be of integral type, but found ${display(value)}`)
  const n = toDouble(value)
  if (!Number.isInteger(n)) throw new MongoError(5787903, `Value for 'n' must be of integral type, but found ${display(value)}`)
  if (n <= 0) throw new MongoError(5787908, `'n' must be greater than 0, found ${n}`)
  return n
}

class FirstNAccumulator implements Accumulator {
  readonly #values: Value[] = []

  constructor (private readonly n: number, private readonly memory: Memory) {}

  add (value: Maybe): void {
    if (this.#values.length >= this.n) return
    this.memory.grow(approximateSize(value))
    this.#values.push(value ?? null)
  }

  result (): Value {
    return this.#values
  }
}

class LastNAccumulator implements Accumulator {
  readonly #values: Value[] = []
  #start = 0

  constructor (private readonly n: number, private readonly memory: Memory) {}

  add (value: Maybe): void {
    this.memory.grow(approximateSize(value))
    this.#values.push(value ?? null)
    if (this.#values.length - this.#start <= this.n) return
    this.memory.grow(-approximateSize(this.#values[this.#start]))
    this.#start++
    if (this.#start > this.n + 64) this.#drop()
  }

  #drop (): void {
    this.#values.splice(0, this.#start)
    this.#start = 0
  }

  result (): Value {
    return this.#values.slice(this.#start)
  }
}

/** The n least or greatest values, kept in order. */
class ExtremeNAccumulator implements Accumulator {
  readonly #values: Value[] = []

  /** @param sign 1 for the least first, -1 for the greatest first */
  constructor (private readonly sign: 1 | -1, private readonly n: number, private readonly surroundings: Surroundings, private readonly memory: Memory) {}

  add (value: Maybe): void {
    if (value === undefined || nullish(value)) return
    if (this.#values.length >= this.n) {
      if (this.#order(this.#values[this.#values.length - 1], value) <= 0) return
      this.#grow(-approximateSize(this.#values.pop()))
    }
    this.#grow(approximateSize(value))
    this.#values.splice(this.#place(value), 0, value)
  }

  #order (a: Value, b: Value): number {
    return compare(a, b, this.surroundings.collation) * this.sign
  }

  #grow (bytes: number): void {
    this.memory.grow(bytes)
    this.surroundings.memory.grow(bytes)
  }

  /** Equal values keep the order in which a multiset read from this end has them: `$maxN` shows the later one first. */
  #place (value: Value): number {
    let low = 0
    let high = this.#values.length
    while (low < high) {
      const middle = (low + high) >> 1
      const order = this.#order(this.#values[middle], value)
      if (order < 0 || (order === 0 && this.sign === 1)) low = middle + 1
      else high = middle
    }
    return low
  }

  result (): Value {
    return this.#values
  }
}

type Arguments = { readonly n: Expression, readonly input: Expression }

function parseArguments (argument: Value, scope: StageScope, notAnObject: number): Arguments {
  if (!isDoc(argument)) throw new MongoError(notAnObject, `specification must be an object; found ${display(argument)}`)
  let n: Expression | undefined
  let input: Expression | undefined
  for (const [name, value] of argument) {
    if (name === 'n') n = parseArgument(value, scope)
    else if (name === 'input') input = parseArgument(value, scope)
    else throw new MongoError(5787901, `Unknown argument for 'n' operator: ${name}`)
  }
  if (n === undefined) throw new MongoError(5787906, "Missing value for 'n'")
  if (input === undefined) throw new MongoError(5787907, "Missing value for 'input'")
  return { n, input }
}

export const parseFirstLastN: AccumulatorParser = (argument, scope, name) => {
  const { n, input } = parseArguments(argument, scope, 5787801)
  const Kind = name === '$firstN' ? FirstNAccumulator : LastNAccumulator
  return {
    name,
    argument: input.evaluate,
    reads: input.dependencies,
    make: (_surroundings, key: Scope) => new Kind(validateN(n.evaluate(key)), accumulatorMemory(name))
  }
}

export const parseExtremeN: AccumulatorParser = (argument, scope, name) => {
  const { n, input } = parseArguments(argument, scope, 5787900)
  const sign = name === '$minN' ? 1 : -1
  return {
    name,
    argument: input.evaluate,
    reads: input.dependencies,
    make: (surroundings, key: Scope) => new ExtremeNAccumulator(sign, validateN(n.evaluate(key)), surroundings, accumulatorMemory(name))
  }
}
