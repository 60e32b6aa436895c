import { inflateRawSync } from 'node:zlib'
import { CHARACTERS, COLUMNS, LOWERS, STRINGS, TABLE } from './collation-table.js'

/**
 * The collation elements of a character or pair: primary weight, lower weights (16 bits secondary, 2 bits case, 14 bits
 * tertiary), and so on in turns. ICU's numbers, so that the sort keys are MongoDB's.
 */
export type Elements = readonly number[]

export type Weights = {
  readonly characters: ReadonlyMap<number, Elements>
  readonly ascii: readonly Elements[]
  /** two or three characters that sort other than one by one, such as a letter and a mark that together are a letter (й) */
  readonly strings: ReadonlyMap<string, Elements>
  /** second and third characters of such strings */
  readonly joining: ReadonlySet<number>
}

const COMMON = 0x05000500

class Column {
  #at = 0
  constructor (private readonly bytes: Buffer) {}

  next (): number {
    let value = 0
    let unit = 1
    for (;;) {
      const byte = this.bytes[this.#at++]
      value += (byte & 127) * unit
      if (byte < 128) return value
      unit *= 128
    }
  }
}

function decode (): Weights {
  const bytes = inflateRawSync(Buffer.from(TABLE, 'base64'))
  let end = 0
  const [points, counts, primaries, lowers] = COLUMNS.map(length => {
    end += length
    return new Column(bytes.subarray(end - length, end))
  })
  let last = 0
  const elements = (): number[] => {
    const list: number[] = []
    for (let count = counts.next(); count > 0; count--) {
      const distance = primaries.next()
      const primary = last + (distance % 2 === 1 ? -(distance + 1) / 2 : distance / 2)
      if (primary !== 0) last = primary
      list.push(primary, LOWERS[lowers.next()])
    }
    return list
  }
  const characters = new Map<number, Elements>()
  const strings = new Map<string, Elements>()
  const joining = new Set<number>()
  for (let i = 0, point = 0; i < CHARACTERS; i++) {
    point += points.next()
    characters.set(point, elements())
  }
  for (let i = 0; i < STRINGS; i++) {
    const [first, ...others] = Array.from({ length: points.next() }, () => points.next())
    strings.set(String.fromCodePoint(first, ...others), elements())
    for (const point of others) joining.add(point)
  }
  return { characters, ascii: Array.from({ length: 128 }, (_, point) => characters.get(point)!), strings, joining }
}

let weights: Weights | undefined

/** Decoded at the first use: most engines never see a collation. */
export function getWeights (): Weights {
  weights ??= decode()
  return weights
}

const HAN = /^\p{Unified_Ideograph}$/u

/** Elements by rule. Han characters are sorted by code point, where ICU has them by radical and stroke; then come characters unknown to the table. */
export function ruledElements (point: number): Elements {
  return [HAN.test(String.fromCodePoint(point)) ? hanPrimary(point) : otherPrimary(point), COMMON]
}

function hanPrimary (point: number): number {
  const place = point >= 0x4e00 && point < 0xa000 ? point - 0x4e00 : point + 0x10000
  return 0xfb000000 + Math.floor(place / 64516) * 0x1000000 + (2 + Math.floor(place / 254) % 254) * 0x10000 + (2 + place % 254) * 0x100
}

/** ICU's weights for characters that are not assigned. */
function otherPrimary (point: number): number {
  const next = point + 1
  const low = 2 + (next % 18) * 14
  const middle = Math.floor(next / 18)
  return 0xfe000000 + (4 + Math.floor(middle / 254) % 251) * 0x10000 + (2 + middle % 254) * 0x100 + low
}
