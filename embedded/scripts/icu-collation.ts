import { readFileSync } from 'node:fs'

// Reads the root collation (coll/ucadata.icu, format 5) out of an ICU 57 data file: the version that MongoDB 7.0 has inside.
// See ICU's collationdatareader.h, collation.h, utrie2_impl.h and ucharstrie.h.

/** A collation element: the primary weight, and the secondary and tertiary ones with the case bits. */
export type Weight = { readonly primary: number, readonly lower: number }

const COMMON = 0x05000500

/** An item of the package, without its header. */
function item (file: Buffer, name: string): Buffer {
  const start = file.readUInt16LE(0)
  const count = file.readUInt32LE(start)
  for (let i = 0; i < count; i++) {
    const at = start + 4 + i * 8
    const nameAt = start + file.readUInt32LE(at)
    if (file.toString('latin1', nameAt, file.indexOf(0, nameAt)).endsWith(name)) {
      const data = file.subarray(start + file.readUInt32LE(at + 4))
      return data.subarray(data.readUInt16LE(0))
    }
  }
  throw new Error(`no ${name} in the data file`)
}

/** Three-byte primary weights in steps, as data of the root collation state them for Han characters. */
export function offsetPrimary (base: number, compressible: boolean, steps: number): number {
  let offset = steps + ((base >>> 8) & 0xff) - 2
  const low = (offset % 254) + 2
  offset = Math.floor(offset / 254)
  const [first, values] = compressible ? [4, 251] : [2, 254]
  offset += ((base >>> 16) & 0xff) - first
  const middle = (offset % values) + first
  return (((base & 0xff000000) >>> 0) + Math.floor(offset / values) * 0x1000000 + middle * 0x10000 + low * 0x100) >>> 0
}

/** The strings of a UCharsTrie with their values. */
class Trie {
  readonly found: [string, number][] = []
  constructor (private readonly units: Uint16Array, start: number) {
    this.#node(start, '')
  }

  #value (at: number, lead: number): [number, number] {
    if (lead < 0x4000) return [lead, at]
    if (lead < 0x7fff) return [((lead - 0x4000) << 16) | this.units[at], at + 1]
    return [(this.units[at] << 16) | this.units[at + 1], at + 2]
  }

  #nodeValue (at: number, lead: number): [number, number] {
    if (lead < 0x4040) return [(lead >> 6) - 1, at]
    if (lead < 0x7fc0) return [(((lead & 0x7fc0) - 0x4040) << 10) | this.units[at], at + 1]
    return [(this.units[at] << 16) | this.units[at + 1], at + 2]
  }

  #node (start: number, prefix: string): void {
    let text = prefix
    let at = start
    for (;;) {
      let node = this.units[at++]
      if (node & 0x8000) {
        this.found.push([text, this.#value(at, node & 0x7fff)[0]])
        return
      }
      if (node >= 0x40) {
        const [value, after] = this.#nodeValue(at, node)
        this.found.push([text, value])
        at = after
        node &= 0x3f
      }
      if (node < 0x30) {
        const length = node === 0 ? this.units[at++] : node
        this.#branch(at, length + 1, text)
        return
      }
      const length = node - 0x30 + 1
      text += String.fromCharCode(...this.units.subarray(at, at + length))
      at += length
    }
  }

  #branch (start: number, count: number, text: string): void {
    let at = start
    let length = count
    while (length > 5) {
      const [delta, after] = this.#delta(at + 1)
      this.#branch(after + delta, length >> 1, text)
      at = after
      length -= length >> 1
    }
    for (; length > 1; length--) {
      const unit = String.fromCharCode(this.units[at])
      const lead = this.units[at + 1]
      const [value, after] = this.#value(at + 2, lead & 0x7fff)
      if (lead & 0x8000) this.found.push([text + unit, value])
      else this.#node(after + value, text + unit)
      at = after
    }
    this.#node(at + 1, text + String.fromCharCode(this.units[at]))
  }

  #delta (at: number): [number, number] {
    const delta = this.units[at]
    if (delta < 0xfc00) return [delta, at + 1]
    if (delta === 0xffff) return [(this.units[at + 1] << 16) | this.units[at + 2], at + 3]
    return [((delta - 0xfc00) << 16) | this.units[at + 1], at + 2]
  }
}

export class IcuCollation {
  readonly numericPrimary: number
  /** by lead byte of a primary weight: whether it is left out when it repeats */
  readonly compressible: readonly boolean[]
  readonly #trie: Buffer
  readonly #ce32s: Uint32Array
  readonly #ces: BigUint64Array
  readonly #contexts: Uint16Array

  constructor (path: string) {
    const data = item(readFileSync(path), '/coll/ucadata.icu')
    const index = (i: number): number => data.readInt32LE(i * 4)
    const part = (i: number): Buffer => Buffer.from(data.subarray(index(i), index(i + 1)))
    this.numericPrimary = (index(1) & 0xff000000) >>> 0
    this.#trie = part(7)
    const ces = part(9)
    this.#ces = new BigUint64Array(ces.buffer, ces.byteOffset, ces.length >> 3)
    const ce32s = part(11)
    this.#ce32s = new Uint32Array(ce32s.buffer, ce32s.byteOffset, ce32s.length >> 2)
    const contexts = part(13)
    this.#contexts = new Uint16Array(contexts.buffer, contexts.byteOffset, contexts.length >> 1)
    this.compressible = Array.from(part(17), byte => byte !== 0)
  }

  /** UTrie2 with 32-bit values. */
  #ce32 (point: number): number {
    const trie = this.#trie
    const indexLength = trie.readUInt16LE(6)
    const dataLength = trie.readUInt16LE(8) << 2
    const unit = (i: number): number => trie.readUInt16LE(16 + i * 2)
    const value = (i: number): number => trie.readUInt32LE(16 + indexLength * 2 + i * 4)
    if (point < 0x10000) return value((unit(point >> 5) << 2) + (point & 31))
    if (point >= trie.readUInt16LE(14) << 11) return value(dataLength - 4)
    return value((unit(unit(0x840 - 32 + (point >> 11)) + ((point >> 5) & 63)) << 2) + (point & 31))
  }

  #context (at: number): number {
    return ((this.#contexts[at] << 16) | this.#contexts[at + 1]) >>> 0
  }

  #weights (ce32: number, point: number): Weight[] | undefined {
    if ((ce32 & 0xff) < 0xc0) return [this.#short(ce32)]
    const index = ce32 >>> 13
    const length = (ce32 >>> 8) & 31
    switch (ce32 & 0xf) {
      case 1: case 2: return [this.#short(ce32)]
      case 4: return [
        { primary: (ce32 & 0xff000000) >>> 0, lower: 0x05000000 | ((ce32 & 0xff0000) >>> 8) },
        { primary: 0, lower: (((ce32 & 0xff00) << 16) | 0x500) >>> 0 }
      ]
      case 5: return Array.from(this.#ce32s.subarray(index, index + length), short => this.#short(short))
      case 6: return Array.from(this.#ces.subarray(index, index + length), ce => wide(ce))
      case 8: case 9: return this.#weights(this.#context(index), point)
      case 10: return this.#weights(this.#ce32s[index], point)
      case 11: return this.#weights(this.#ce32s[0], point)
      case 14: return [this.#offset(this.#ces[index], point)]
      default: return undefined
    }
  }

  #short (ce32: number): Weight {
    if ((ce32 & 0xff) < 0xc0) return { primary: (ce32 & 0xffff0000) >>> 0, lower: (((ce32 & 0xff00) << 16) | ((ce32 & 0xff) << 8)) >>> 0 }
    return (ce32 & 0xf) === 1 ? { primary: (ce32 & 0xffffff00) >>> 0, lower: COMMON } : { primary: 0, lower: (ce32 & 0xffffff00) >>> 0 }
  }

  #offset (data: bigint, point: number): Weight {
    const lower = Number(data & 0xffffffffn)
    return { primary: offsetPrimary(Number(data >> 32n), (lower & 0x80) !== 0, (point - (lower >>> 8)) * (lower & 0x7f)), lower: COMMON }
  }

  /** The elements of one character; undefined where they follow from a rule: Hangul, and characters not assigned. */
  weightsOf (point: number): Weight[] | undefined {
    return this.#weights(this.#ce32(point), point)
  }

  /** Strings of several characters that begin with this one, or end with it, and have elements of their own. */
  stringsOf (point: number): [string, Weight[]][] {
    const ce32 = this.#ce32(point)
    if ((ce32 & 0xff) < 0xc0) return []
    const c = String.fromCodePoint(point)
    const tag = ce32 & 0xf
    if (tag !== 8 && tag !== 9) return []
    const { found } = new Trie(this.#contexts, (ce32 >>> 13) + 2)
    const own = found.flatMap(([text, value]): [string, Weight[]][] => {
      const weights = this.#weights(value >>> 0, point)
      if (weights === undefined) return []
      // What stands in front (stored backwards) keeps its own elements.
      return tag === 9 ? [[c + text, weights]] : [[Array.from(text).toReversed().join('') + c, [...this.#before(text), ...weights]]]
    })
    const inner = this.#context(ce32 >>> 13)
    return tag === 8 && (inner & 0xff) >= 0xc0 && (inner & 0xf) === 9 ? [...own, ...this.#inner(inner, c)] : own
  }

  #inner (ce32: number, c: string): [string, Weight[]][] {
    return new Trie(this.#contexts, (ce32 >>> 13) + 2).found.map(([text, value]) => [c + text, this.#weights(value >>> 0, 0) ?? []])
  }

  #before (text: string): Weight[] {
    return Array.from(text).toReversed().flatMap(c => this.weightsOf(c.codePointAt(0)!) ?? [])
  }
}

const wide = (ce: bigint): Weight => ({ primary: Number(ce >> 32n), lower: Number(ce & 0xffffffffn) })
