import { decimalCompare, decimalDivide, decimalMultiply, fromBigInt, fromDouble, toDouble as decimalToDouble } from '../values/decimal128.js'
import { MongoError } from '../values/errors.js'
import { toDouble } from '../values/numbers.js'
import type { NumberValue } from '../values/numbers.js'
import { Decimal128, Double, Int32 } from '../values/types.js'

/** Rounds bucket boundaries to preferred numbers. */
export type Granularity = { up (value: NumberValue): NumberValue, down (value: NumberValue): NumberValue }

const list = (text: string): number[] => text.split(' ').map(Number)

// ISO 3 (Renard), 1-2-5 and IEC 60063 (E) series
const SERIES: ReadonlyMap<string, readonly number[]> = new Map([
  ['R5', list('10 16 25 40 63')],
  ['R10', list('100 125 160 200 250 315 400 500 630 800')],
  ['R20', list('100 112 125 140 160 180 200 224 250 280 315 355 400 450 500 560 630 710 800 900')],
  ['R40', list('100 106 112 118 125 132 140 150 160 170 180 190 200 212 224 236 250 265 280 300 315 355 375 400 425 450 475 500 530 560 ' +
    '600 630 670 710 750 800 850 900 950')],
  ['R80', list('103 109 115 122 128 136 145 155 165 175 185 195 206 218 230 243 258 272 290 307 325 345 365 387 412 437 462 487 515 545 ' +
    '575 615 650 690 730 775 825 875 925 975')],
  ['1-2-5', list('10 20 50')],
  ['E6', list('10 15 22 33 47 68')],
  ['E12', list('10 12 15 18 22 27 33 39 47 56 68 82')],
  ['E24', list('10 11 12 13 15 16 18 20 22 24 27 30 33 36 39 43 47 51 56 62 68 75 82 91')],
  ['E48', list('100 105 110 115 121 127 133 140 147 154 162 169 178 187 196 205 215 226 237 249 261 274 287 301 316 332 348 365 383 402 ' +
    '422 442 464 487 511 536 562 590 619 649 681 715 750 787 825 866 909 953')],
  ['E96', list('100 102 105 107 110 113 115 118 121 124 127 130 133 137 140 143 147 150 154 158 162 165 169 174 178 182 187 191 196 200 ' +
    '205 210 215 221 226 232 237 243 249 255 261 267 274 280 287 294 301 309 316 324 332 340 348 357 365 374 383 392 402 412 422 432 442 453 ' +
    '464 475 487 499 511 523 536 549 562 576 590 604 619 634 649 665 681 698 715 732 750 768 787 806 825 845 866 887 909 931 953 976')],
  ['E192', list('100 101 102 104 105 106 107 109 110 111 113 114 115 117 118 120 121 123 124 126 127 129 130 132 133 135 137 138 140 142 ' +
    '143 145 147 149 150 152 154 156 158 160 162 164 165 167 169 172 174 176 178 180 182 184 187 189 191 193 196 198 200 203 205 208 210 213 ' +
    '215 218 221 223 226 229 232 234 237 240 243 246 249 252 255 258 261 264 267 271 274 277 280 284 287 291 294 298 301 305 309 312 316 320 ' +
    '324 328 332 336 340 344 348 352 357 361 365 370 374 379 383 388 392 397 402 407 412 417 422 427 432 437 442 448 453 459 464 470 475 481 ' +
    '487 493 499 505 511 517 523 530 536 542 549 556 562 569 576 583 590 597 604 612 619 626 634 642 649 657 665 673 681 690 698 706 715 723 ' +
    '732 741 750 759 768 777 787 796 806 816 825 835 845 856 866 876 887 898 909 920 931 942 953 965 976 988')]
])

/** The few operations that the search in a series needs, for doubles and decimals alike. */
type Arithmetic<T> = { compare (a: T, b: T): number, times (a: T, b: T): T, over (a: T, b: T): T, readonly one: T, readonly ten: T }

const DOUBLES: Arithmetic<number> = { compare: (a, b) => a - b, times: (a, b) => a * b, over: (a, b) => a / b, one: 1, ten: 10 }
const DECIMALS: Arithmetic<Decimal128> =
  { compare: decimalCompare, times: decimalMultiply, over: decimalDivide, one: fromBigInt(1n), ten: fromBigInt(10n) }

type Search = <T>(value: T, series: readonly T[], arithmetic: Arithmetic<T>) => T

// infinity and the smallest numbers there are have nothing beyond them: the search must end all the same
const MAX_POWERS = 7000

/** The least number of the series, at any power of ten, that is greater. */
const above: Search = (value, series, { compare, times, over, one, ten }) => {
  const first = series[0]
  const last = series[series.length - 1]
  let scale = one
  for (let i = 0; i < MAX_POWERS && compare(value, times(last, scale)) >= 0; i++) scale = times(scale, ten)
  for (let i = 0; i < MAX_POWERS && compare(value, times(first, scale)) < 0; i++) {
    const least = times(first, scale)
    scale = over(scale, ten)
    if (compare(value, times(last, scale)) >= 0) return least
  }
  const member = series.find(candidate => compare(value, times(candidate, scale)) < 0)
  return member === undefined ? value : times(member, scale)
}

/** The greatest number of the series, at any power of ten, that is less. */
const below: Search = (value, series, { compare, times, over, one, ten }) => {
  const first = series[0]
  const last = series[series.length - 1]
  let scale = one
  for (let i = 0; i < MAX_POWERS && compare(value, times(first, scale)) <= 0; i++) scale = over(scale, ten)
  for (let i = 0; i < MAX_POWERS && compare(value, times(last, scale)) > 0; i++) {
    const greatest = times(last, scale)
    scale = times(scale, ten)
    if (compare(value, times(first, scale)) <= 0) return greatest
  }
  const member = series.findLast(candidate => compare(times(candidate, scale), value) < 0)
  return member === undefined ? value : times(member, scale)
}

function preferred (series: readonly number[]): Granularity {
  const decimals = series.map(member => fromBigInt(BigInt(member)))
  const round = (search: Search) => (value: NumberValue): NumberValue => {
    if (value instanceof Decimal128) return decimalToDouble(value) === 0 ? value : search(value, decimals, DECIMALS)
    const number = toDouble(value)
    return number === 0 ? value : new Double(search(number, series, DOUBLES))
  }
  return { up: round(above), down: round(below) }
}

/** 2 to an integer power, in the type that `$pow` gives. */
function powerOfTwo (exponent: number, like: NumberValue): NumberValue {
  if (like instanceof Decimal128) return fromDouble(2 ** exponent, 34)
  if (exponent < 0 || exponent > 62) return new Double(2 ** exponent)
  return exponent <= 30 ? new Int32(2 ** exponent) : 1n << BigInt(exponent)
}

function powersOfTwo (): Granularity {
  const round = (exponentOf: (log: number) => number) => (value: NumberValue): NumberValue => {
    const number = toDouble(value)
    return number === 0 ? value : powerOfTwo(exponentOf(exactLog(value, number)), value)
  }
  return { up: round(log => Math.floor(log) + 1), down: round(log => Math.ceil(log) - 1) }
}

/** log2 that does not round up to the next power of two. */
function exactLog (value: NumberValue, number: number): number {
  if (typeof value !== 'bigint') return Math.log2(number)
  const whole = value.toString(2).length - 1
  return value === 1n << BigInt(whole) ? whole : whole + 0.5
}

export function granularity (name: string): Granularity {
  if (name === 'POWERSOF2') return powersOfTwo()
  const series = SERIES.get(name)
  if (series === undefined) throw new MongoError(40257, `Unknown rounding granularity '${name}'`)
  return preferred(series)
}
