// Writes src/values/collation-table.ts from ICU's root collation, version 57, which MongoDB 7.0 has inside:
//   npm pack icu4c-data@0.57.2 && tar xzf icu4c-data-0.57.2.tgz
//   node --import tsx embedded/scripts/collation-table.ts package/icudt57l.dat
// The table is committed: the keys of stored indexes must not change with the ICU of a later Node, and E11000 shows them.
import { writeFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import { IcuCollation } from './icu-collation.js'
import type { Weight } from './icu-collation.js'

/** Han and Hangul follow rules (collation-weights.ts), the characters elsewhere are sorted by their code points. */
const RANGES = [[0, 0x33ff], [0xa000, 0xabff], [0xd7b0, 0xd7ff], [0xfb00, 0xffff], [0x10000, 0x1ffff]]

const icu = new IcuCollation(process.argv[2])

class Column {
  readonly bytes: number[] = []

  put (value: number): void {
    let rest = value
    for (; rest > 127; rest = Math.floor(rest / 128)) this.bytes.push((rest % 128) | 128)
    this.bytes.push(rest)
  }
}

// Columns of one kind of number pack better than rows.
const points = new Column()
const counts = new Column()
const primaries = new Column()
const lowers = new Column()
const lowerNumbers = new Map<number, number>()
let lastPrimary = 0

function putWeights (weights: readonly Weight[]): void {
  counts.put(weights.length)
  for (const { primary, lower } of weights) {
    const distance = primary - lastPrimary
    primaries.put(distance < 0 ? -distance * 2 - 1 : distance * 2)
    if (primary !== 0) lastPrimary = primary
    if (!lowerNumbers.has(lower)) lowerNumbers.set(lower, lowerNumbers.size)
    lowers.put(lowerNumbers.get(lower)!)
  }
}

let lastPoint = 0
let characters = 0
const strings = new Map<string, Weight[]>()
for (const [from, to] of RANGES) {
  for (let point = from; point <= to; point++) {
    const c = String.fromCodePoint(point)
    for (const [text, weights] of icu.stringsOf(point)) strings.set(text, weights)
    const weights = icu.weightsOf(point)
    if (weights === undefined || c.normalize('NFD') !== c) continue
    points.put(point - lastPoint)
    lastPoint = point
    characters++
    putWeights(weights)
  }
}
for (const [text, weights] of strings) {
  const list = Array.from(text)
  points.put(list.length)
  for (const c of list) points.put(c.codePointAt(0)!)
  putWeights(weights)
}

const packed = deflateRawSync(Buffer.from([points, counts, primaries, lowers].flatMap(column => column.bytes)), { level: 9 }).toString('base64')
const list = (values: readonly number[]): string => values.map(value => `0x${value.toString(16)}`).join(', ').replace(/(.{1,140})(?:, |$)/g, '\n  $1,').replace(/,$/, '')
const primaryOf = (c: string): number => icu.weightsOf(c.codePointAt(0)!)![0].primary

writeFileSync(new URL('../src/values/collation-table.ts', import.meta.url), `// Written by scripts/collation-table.ts from ICU 57 (Unicode license, unicode.org/copyright.html). Do not edit: stored keys depend on it.

export const CHARACTERS = ${characters}
export const STRINGS = ${strings.size}
/** Lengths of the four columns in TABLE: code points, counts of elements, primary weights, numbers of lower weights. */
export const COLUMNS = [${[points, counts, primaries, lowers].map(column => column.bytes.length).join(', ')}]
/** Secondary and tertiary weights with the case bits. */
export const LOWERS = [${list([...lowerNumbers.keys()])}
]
/** Lead bytes that are written once for a run of primary weights. */
export const COMPRESSIBLE = [${list(icu.compressible.flatMap((yes, byte) => yes ? [byte] : []))}
]
/** Lead byte of numbers with numericOrdering. */
export const NUMBER = 0x${icu.numericPrimary.toString(16)}
/** The first primary weight behind the spaces, and behind the punctuation. */
export const SPACES_END = 0x${primaryOf('_').toString(16)}
export const PUNCTUATION_END = 0x${primaryOf('`').toString(16)}
/** The columns, one after the other, deflated, in base 64. */
export const TABLE =
${packed.match(/.{1,150}/g)!.map(line => `  '${line}'`).join(' +\n')}
`)
