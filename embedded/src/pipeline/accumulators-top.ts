import type { Scope } from '../expressions/context.js'
import { compileExpression } from '../expressions/index.js'
import type { Expression } from '../expressions/index.js'
import { MongoError, badValue } from '../values/errors.js'
import { display } from '../values/format.js'
import { compare } from '../values/order.js'
import { Doc, Int32, Undefined, isDoc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { parseArgument } from './accumulator.js'
import type { Accumulator, AccumulatorParser } from './accumulator.js'
import { validateN } from './accumulators-n.js'
import { accumulatorMemory, approximateSize } from './memory.js'
import type { Memory } from './memory.js'
import { SortPattern } from './sort-pattern.js'
import type { SortKey } from './sort-pattern.js'
import { mergeDependencies } from './stage.js'
import type { StageScope } from './stage.js'

type Entry = { readonly key: SortKey, readonly output: Value }

/** What a document gives: its sort key and the output. It travels as an array value. */
const pack = (key: SortKey, output: Value): Value => [key.map(part => part ?? null), output]

class TopBottomAccumulator implements Accumulator {
  readonly #entries: Entry[] = []

  constructor (
    private readonly isTop: boolean, private readonly single: boolean, private readonly n: number,
    private readonly pattern: SortPattern, private readonly memory: Memory
  ) {}

  add (value: Maybe): void {
    const [key, output] = value as [Value[], Value]
    const entry = { key, output }
    if (this.#entries.length >= this.n) {
      // of equals the first one seen stays
      const worst = this.isTop ? this.#entries[this.#entries.length - 1] : this.#entries[0]
      const order = this.pattern.compare(worst.key, key)
      if (this.isTop ? order <= 0 : order >= 0) return
      this.#remove(worst)
    }
    this.memory.grow(sizeOf(entry))
    this.#entries.splice(this.#place(key), 0, entry)
  }

  #remove (entry: Entry): void {
    this.memory.grow(-sizeOf(entry))
    if (this.isTop) this.#entries.pop()
    else this.#entries.shift()
  }

  #place (key: SortKey): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.pattern.compare(this.#entries[middle].key, key) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }

  result (): Maybe {
    const outputs = this.#entries.map(({ output }) => output)
    return this.single ? outputs[0] ?? null : outputs
  }
}

const sizeOf = ({ key, output }: Entry): number => approximateSize(output) + key.length * 32

type Parts = { n: Expression | undefined, output: Expression, sortBy: Doc }

function parseParts (argument: Value, scope: StageScope, name: string): Parts {
  if (!isDoc(argument)) throw new MongoError(5788001, `specification must be an object; found ${name}: ${display(argument)}`)
  const parts: Partial<Parts> = {}
  for (const [field, value] of argument) {
    if (field === 'n' && name.endsWith('N')) parts.n = parseArgument(value, scope)
    else if (field === 'output') parts.output = parseArgument(value, scope)
    else if (field === 'sortBy') parts.sortBy = objectOf(value)
    else throw new MongoError(5788002, `Unknown argument to ${name} '${field}'`)
  }
  if (name.endsWith('N') && parts.n === undefined) throw new MongoError(5788003, "Missing value for 'n'")
  if (parts.output === undefined) throw new MongoError(5788004, "Missing value for 'output'")
  if (parts.sortBy === undefined) throw new MongoError(5788005, "Missing value for 'sortBy'")
  return { n: parts.n, output: parts.output, sortBy: parts.sortBy }
}

function objectOf (value: Value): Doc {
  if (isDoc(value)) return value
  throw new MongoError(10065, 'invalid parameter: expected an object (sortBy)')
}

export const parseTopBottom: AccumulatorParser = (argument, scope, name) => {
  const { n, output, sortBy } = parseParts(argument, scope, name)
  const pattern = SortPattern.parse(sortBy, scope.ctx.collation)
  const fields = pattern.parts.map(part => compileExpression(part.path === undefined ? Doc.of([['$meta', part.meta]]) : `$${part.path}`, scope.ctx))
  const single = !name.endsWith('N')
  return {
    name,
    argument: at => pack(sortKey(fields, at, pattern), output.evaluate(at) ?? null),
    reads: mergeDependencies([output.dependencies, ...fields.map(field => field.dependencies)]),
    make: (_surroundings, key: Scope) => {
      const count = validateN(n === undefined ? Int32.of(1) : n.evaluate(key))
      return new TopBottomAccumulator(name.startsWith('$top'), single, count, pattern, accumulatorMemory(name))
    }
  }
}

/** The sort key of what the sort fields evaluate to: an array counts by its first element in the pattern's order. */
function sortKey (fields: readonly Expression[], at: Scope, { parts, collation }: SortPattern): SortKey {
  let arrays = 0
  return fields.map((field, i) => {
    const value = field.evaluate(at)
    if (!Array.isArray(value)) return value
    if (++arrays > 1) throw badValue('cannot sort with keys that are parallel arrays')
    if (value.length === 0) return Undefined.instance
    return value.reduce((best, element) => compare(element, best, collation) * parts[i].direction < 0 ? element : best)
  })
}
