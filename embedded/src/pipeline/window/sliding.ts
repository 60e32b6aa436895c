import { DECIMAL_INFINITY, DECIMAL_NAN, DECIMAL_NEGATIVE_INFINITY } from '../../values/decimal128.js'
import { MAX_LONG, MIN_LONG, Sum, asLong, intOrLong, isFiniteValue, isNaNValue, negate, toDouble } from '../../values/numbers.js'
import type { NumberValue } from '../../values/numbers.js'
import { compare } from '../../values/order.js'
import type { Collation } from '../../values/collation.js'
import { Decimal128, Double, Int32, isNumber } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import { averageOf } from '../accumulators.js'

/** A window function whose window moves on: values leave in the order in which they came. */
export interface Sliding {
  add (value: Maybe): void
  remove (value: Maybe): void
  value (): Maybe
}

const LONG_EDGE = 2 ** 63

export class SlidingSum implements Sliding {
  readonly #sum = new Sum()
  #nans = 0
  #infinities = 0
  #negativeInfinities = 0
  #doubles = 0
  #decimals = 0

  add (value: Maybe): void {
    if (isNumber(value)) this.#account(value, 1)
  }

  remove (value: Maybe): void {
    if (isNumber(value)) this.#account(value, -1)
  }

  #account (value: NumberValue, times: 1 | -1): void {
    if (value instanceof Double) this.#doubles += times
    else if (value instanceof Decimal128) this.#decimals += times
    if (isNaNValue(value)) this.#nans += times
    else if (isFiniteValue(value)) this.#include(value, times)
    else if (toDouble(value) > 0) this.#infinities += times
    else this.#negativeInfinities += times
  }

  #include (value: NumberValue, times: 1 | -1): void {
    if (times === 1) this.#sum.add(value)
    else if (value === MIN_LONG) [MAX_LONG, 1n].forEach(part => this.#sum.add(part))
    else this.#sum.add(negate(value))
  }

  value (): NumberValue {
    return this.#special() ?? this.#narrow(this.#sum.result())
  }

  #special (): NumberValue | undefined {
    const isDecimal = this.#decimals > 0
    if (this.#nans > 0 || (this.#infinities > 0 && this.#negativeInfinities > 0)) return isDecimal ? DECIMAL_NAN : new Double(NaN)
    if (this.#infinities > 0) return isDecimal ? DECIMAL_INFINITY : new Double(Infinity)
    if (this.#negativeInfinities > 0) return isDecimal ? DECIMAL_NEGATIVE_INFINITY : new Double(-Infinity)
    return undefined
  }

  /** The type follows from what is in the window now, and a long that fits is an int. */
  #narrow (sum: NumberValue): NumberValue {
    if (sum instanceof Decimal128 && this.#decimals === 0) {
      const long = this.#doubles > 0 ? undefined : asLong(sum)
      return long === undefined ? new Double(toDouble(sum)) : intOrLong(long)
    }
    if (sum instanceof Double && this.#doubles === 0 && Math.abs(sum.value) < LONG_EDGE) return intOrLong(BigInt(Math.round(sum.value)))
    return typeof sum === 'bigint' ? intOrLong(sum) : sum
  }
}

export class SlidingCount implements Sliding {
  #count = 0

  add (): void {
    this.#count++
  }

  remove (): void {
    this.#count--
  }

  value (): Value {
    return Int32.of(this.#count)
  }
}

export class SlidingAverage implements Sliding {
  readonly #sum = new SlidingSum()
  #count = 0

  add (value: Maybe): void {
    if (!isNumber(value)) return
    this.#sum.add(value)
    this.#count++
  }

  remove (value: Maybe): void {
    if (!isNumber(value)) return
    this.#sum.remove(value)
    this.#count--
  }

  value (): Value {
    return averageOf(this.#sum.value(), this.#count)
  }
}

/** Keeps the values that may still become the least (or the greatest). A moving window, other than a group, counts null too. */
export class SlidingExtreme implements Sliding {
  readonly #candidates: { value: Maybe, at: number }[] = []
  #start = 0
  #added = 0
  #removed = 0

  constructor (private readonly sign: 1 | -1, private readonly collation: Collation | undefined) {}

  add (value: Maybe): void {
    while (this.#candidates.length > this.#start && this.#yields(this.#candidates[this.#candidates.length - 1].value, value)) this.#candidates.pop()
    this.#candidates.push({ value, at: this.#added++ })
  }

  /** Of equal values the least is the first one, the greatest the last one. */
  #yields (known: Maybe, value: Maybe): boolean {
    const order = compare(known, value, this.collation) * this.sign
    return this.sign === -1 ? order < 0 : order <= 0
  }

  remove (): void {
    if (this.#candidates[this.#start]?.at === this.#removed++) this.#start++
    if (this.#start < 1024) return
    this.#candidates.splice(0, this.#start)
    this.#start = 0
  }

  value (): Maybe {
    const best = this.#candidates[this.#start]
    return best === undefined ? null : best.value
  }
}

export class SlidingDeviation implements Sliding {
  #sum = 0
  #squares = 0
  #count = 0
  #nonFinite = 0

  constructor (private readonly isSample: boolean) {}

  add (value: Maybe): void {
    this.#update(value, 1)
  }

  remove (value: Maybe): void {
    this.#update(value, -1)
  }

  #update (value: Maybe, times: 1 | -1): void {
    if (!isNumber(value)) return
    const number = toDouble(value)
    if (!isFiniteValue(value)) {
      this.#nonFinite += times
      this.#count += times
    } else if (this.#count === 0) {
      this.#count = 1
      this.#sum += number
    } else if (this.#count + times === 0) {
      this.#sum = this.#squares = this.#count = this.#nonFinite = 0
    } else {
      const x = this.#count * number - this.#sum
      this.#count += times
      this.#sum += number * times
      this.#squares += x * x * times / (this.#count * (this.#count - times))
    }
  }

  value (): Value {
    if (this.#nonFinite > 0) return new Double(NaN)
    const count = this.isSample ? this.#count - 1 : this.#count
    if (count <= 0) return null
    // rounding may leave a little less than nothing; MongoDB shows an int then
    if (this.#squares < 0 || (!this.isSample && this.#count === 1)) {
      this.#squares = 0
      return Int32.of(0)
    }
    return new Double(Math.sqrt(this.#squares / count))
  }
}
