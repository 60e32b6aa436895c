import { COMPRESSIBLE } from './collation-table.js'
import type { Elements } from './collation-weights.js'

// ICU's sort keys, byte by byte (collationkeys.cpp): E11000 shows them, and they are short.

export type KeyOptions = {
  readonly strength: 1 | 2 | 3
  readonly caseLevel: boolean
  readonly caseFirst: 'off' | 'upper' | 'lower'
  readonly backwards: boolean
}

const SEPARATOR = 1
const COMMON = 0x0500
const compressible = new Uint8Array(256)
for (const lead of COMPRESSIBLE) compressible[lead] = 1

let out = Buffer.allocUnsafeSlow(1024)
let at = 0

function put (byte: number): void {
  if (at === out.length) out = Buffer.concat([out, Buffer.allocUnsafeSlow(out.length)])
  out[at++] = byte
}

/** A run of common weights is one byte, counted from the low end of a range if something lower follows (or the end), else from the high end. */
type Range = { readonly low: number, readonly middle: number, readonly high: number, readonly count: number }
const SECONDARY: Range = { low: 0x05, middle: 0x25, high: 0x45, count: 0x21 }
const TERTIARY: Range = { low: 0x05, middle: 0x65, high: 0xc5, count: 0x61 }
const TERTIARY_LOWER_FIRST: Range = { low: 0x05, middle: 0x25, high: 0x45, count: 0x21 }
const TERTIARY_UPPER_FIRST: Range = { low: 0x85, middle: 0xa5, high: 0xc5, count: 0x21 }

function putRun (length: number, lowerFollows: boolean, { low, middle, high, count }: Range): void {
  if (length === 0) return
  let rest = length - 1
  for (; rest >= count; rest -= count) put(middle)
  put(lowerFollows ? low + rest : high - rest)
}

function putWeight (weight: number): void {
  put(weight >> 8)
  if ((weight & 255) !== 0) put(weight & 255)
}

function putPrimaries (elements: Elements): void {
  let last = 0
  for (let i = 0; i < elements.length; i += 2) {
    const primary = elements[i]
    if (primary === 0) continue
    const lead = primary >>> 24
    if (compressible[lead] === 0 || lead !== last >>> 24) {
      if (last !== 0) put(primary < last ? 0x03 : 0xff)
      put(lead)
      last = compressible[lead] === 1 ? primary : 0
    }
    putTail(primary)
  }
}

/** The bytes of a primary weight behind the first, without zeros at the end. */
function putTail (primary: number): void {
  if ((primary & 0xffffff) === 0) return
  put((primary >>> 16) & 255)
  if ((primary & 0xffff) === 0) return
  put((primary >>> 8) & 255)
  if ((primary & 0xff) !== 0) put(primary & 255)
}

/** Backwards is the French order: the last accent counts first. */
function putSecondaries (elements: Elements, backwards: boolean): void {
  const weights: number[] = []
  for (let i = 1; i < elements.length; i += 2) if (elements[i] > 0xffff) weights.push(elements[i] >>> 16)
  if (backwards) weights.reverse()
  let run = 0
  for (const weight of weights) {
    if (weight === COMMON) run++
    else {
      putRun(run, weight < COMMON, SECONDARY)
      run = 0
      putWeight(weight)
    }
  }
  putRun(run, true, SECONDARY)
}

/** Nibbles: with lower case first runs of lower case from 1 and 13, mixed 14, upper 15; with upper case first upper 1, mixed 2, runs from 3. */
function putCases (elements: Elements, { strength, caseFirst }: KeyOptions): void {
  const nibbles: number[] = []
  const upperFirst = caseFirst === 'upper'
  let run = 0
  const flush = (atEnd: boolean): void => {
    if (run === 0 || (!upperFirst && atEnd && nibbles.length === 0)) return
    const [most, many] = upperFirst ? [13, 3] : [7, 7]
    let rest = run - 1
    for (; rest >= most; rest -= most) nibbles.push(many)
    nibbles.push(upperFirst ? 3 + rest : atEnd ? 1 + rest : 13 - rest)
    run = 0
  }
  for (let i = 0; i < elements.length; i += 2) {
    const lower = elements[i + 1]
    if (strength === 1 ? elements[i] === 0 : lower <= 0xffff) continue
    const bits = (lower >> 14) & 3
    if (bits === 0) run++
    else {
      flush(false)
      nibbles.push(upperFirst ? 3 - bits : 13 + bits)
    }
  }
  flush(true)
  for (let i = 0; i < nibbles.length; i += 2) put((nibbles[i] << 4) | (nibbles[i + 1] ?? 0))
}

function putTertiaries (elements: Elements, { caseFirst, caseLevel }: KeyOptions): void {
  // With a level of its own the case counts there.
  const mode = caseLevel ? 'off' : caseFirst
  const mask = mode === 'off' ? 0x3f3f : 0xff3f
  const range = mode === 'off' ? TERTIARY : mode === 'lower' ? TERTIARY_LOWER_FIRST : TERTIARY_UPPER_FIRST
  let run = 0
  for (let i = 1; i < elements.length; i += 2) {
    const lower = elements[i]
    if (lower === 0) continue
    const weight = lower & mask
    if (weight === COMMON) {
      run++
      continue
    }
    const moved = mode === 'upper' ? upperFirst(weight, lower) : weight > COMMON ? weight + (mode === 'off' ? 0xc000 : 0x4000) : weight
    putRun(run, mode === 'upper' ? moved < TERTIARY_UPPER_FIRST.low << 8 : moved < COMMON, range)
    run = 0
    putWeight(moved)
  }
  putRun(run, true, range)
}

function upperFirst (weight: number, lower: number): number {
  if (lower <= 0xffff) return weight + 0x4000
  const inverted = weight ^ 0xc000
  return inverted < TERTIARY_UPPER_FIRST.high << 8 ? inverted - 0x4000 : inverted
}

/** Bytes in the order of the texts that the elements stand for; what the strength leaves out does not count. */
export function sortKey (elements: Elements, options: KeyOptions): Buffer {
  at = 0
  putPrimaries(elements)
  if (options.strength > 1) {
    put(SEPARATOR)
    putSecondaries(elements, options.backwards)
  }
  if (options.caseLevel) {
    put(SEPARATOR)
    putCases(elements, options)
  }
  if (options.strength > 2) {
    put(SEPARATOR)
    putTertiaries(elements, options)
  }
  return Buffer.from(out.subarray(0, at))
}
