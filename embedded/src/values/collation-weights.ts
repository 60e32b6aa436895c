import { IGNORABLE, LETTERS, MARKS, PAIRS, STEP } from './collation-table.js'

/** What one character contributes to a sort key. A mark has no primary weight, an ignorable character no element. */
export type Element = {
  readonly primary: number
  readonly secondary: number
  readonly tertiary: number
  readonly upper: boolean
}

export type Weights = {
  /** by character, and by base letter + mark where that pair sorts as a letter of its own (й) */
  readonly elements: ReadonlyMap<string, readonly Element[]>
  /** the element of each ASCII character that has exactly one */
  readonly ascii: readonly (Element | undefined)[]
  /** second characters of such pairs */
  readonly joining: ReadonlySet<string>
  /** leads a run of digits with numericOrdering: just below the digit 0 */
  readonly number: number
  /** the primary weights below this belong to spaces and punctuation */
  readonly symbols: { readonly space: number, readonly punct: number }
}

export const COMMON = 0
const FIRST_IMPLICIT = 0x100000
// An expansion sorts directly behind the plain character that it expands to.
const TERTIARY_STEP = 2

const TOKEN = /([<,=])(?:\*(\d+)\.)?(-?[0-9a-z]*)|;([0-9a-z]+):(-?[0-9a-z]*)/g

type Token = { kind: string, repeat: number, point: number, secondary: number }

function * tokens (text: string): Generator<Token> {
  let next = 0
  for (const m of text.matchAll(TOKEN)) {
    const distance = m[3] ?? m[5]
    const repeat = m[2] === undefined ? 1 : Number(m[2])
    const last = next + repeat - 1 + (distance === '' ? 0 : parseInt(distance, 36))
    for (let i = 1; i < repeat; i++) yield { kind: '<', repeat, point: next++, secondary: 0 }
    yield { kind: m[4] === undefined ? m[1] : ';', repeat, point: last, secondary: m[4] === undefined ? 0 : parseInt(m[4], 36) }
    next = last + 1
  }
}

const isUpper = (c: string): boolean => c !== c.toLowerCase()

class Builder implements Weights {
  readonly elements = new Map<string, readonly Element[]>()
  readonly ascii: readonly (Element | undefined)[]
  readonly joining = new Set<string>()
  number = 0
  readonly symbols = { space: 0, punct: 0 }

  constructor () {
    this.#letters()
    this.#marks()
    this.#pairs()
    this.#ignorable()
    this.ascii = Array.from({ length: 128 }, (_, point) => this.#only(String.fromCharCode(point)))
  }

  #only (c: string): Element | undefined {
    const elements = this.elements.get(c)
    return elements?.length === 1 ? elements[0] : undefined
  }

  #letters (): void {
    let primary = 0
    let secondary = 0
    let tertiary = 0
    for (const token of tokens(LETTERS)) {
      const c = String.fromCodePoint(token.point)
      if (token.kind === '<') {
        primary = this.#nextPrimary(c, primary)
        secondary = 0
        tertiary = 0
      } else if (token.kind === ';') {
        secondary = token.secondary
        tertiary = 0
      } else if (token.kind === ',') tertiary += TERTIARY_STEP
      this.#letter(c, { primary, secondary: COMMON, tertiary, upper: isUpper(c) }, secondary)
    }
  }

  #nextPrimary (c: string, last: number): number {
    if (this.symbols.space === 0 && c === '_') this.symbols.space = last + 1
    if (this.symbols.punct === 0 && c === '`') this.symbols.punct = last + 1
    if (c !== '0') return last + 1
    this.number = last + 1
    return last + 2
  }

  #letter (c: string, element: Element, secondary: number): void {
    const elements = secondary === 0 ? [element] : [element, { primary: 0, secondary, tertiary: 0, upper: false }]
    const whole = c.normalize('NFD')
    this.elements.set(whole, elements)
    if (whole !== c) this.joining.add(Array.from(whole)[1])
  }

  #marks (): void {
    let secondary = 0
    for (const token of tokens(MARKS)) {
      if (token.kind === '<') secondary += STEP
      this.elements.set(String.fromCodePoint(token.point), [{ primary: 0, secondary, tertiary: 0, upper: false }])
    }
  }

  #pairs (): void {
    for (const text of PAIRS.split(';')) {
      const [, a, b, weight, points] = /^(.)(.)(\d+):(.*)$/.exec(text)!
      let tertiary = 1
      for (const point of points.split(',')) {
        const c = String.fromCodePoint(parseInt(point, 36))
        const letter = (base: string): Element => ({ ...this.elements.get(base)![0], tertiary, upper: isUpper(c) })
        const between = weight === '0' ? [] : [{ primary: 0, secondary: Number(weight), tertiary: 0, upper: false }]
        this.elements.set(c, [letter(a), ...between, letter(b)])
        tertiary += TERTIARY_STEP
      }
    }
  }

  #ignorable (): void {
    for (const range of IGNORABLE.split(',')) {
      const [start, length] = range.split('-').map(text => parseInt(text, 36))
      for (let point = start; point <= start + length; point++) this.elements.set(String.fromCodePoint(point), [])
    }
  }
}

let weights: Weights | undefined

/** Decoded at the first use: most engines never see a collation. */
export function getWeights (): Weights {
  weights ??= new Builder()
  return weights
}

/** Weights of a character that the table does not have: those of what it expands to, else its code point behind all letters. */
export function otherElements (c: string, { elements }: Weights): readonly Element[] {
  const expansion = Array.from(c.normalize('NFKD'))
  const known = expansion.flatMap(part => elements.get(part) ?? [])
  if (expansion.length > 1 && known.length > 0) return known.map(e => e.primary === 0 ? e : { ...e, tertiary: e.tertiary + 1 })
  return [{ primary: FIRST_IMPLICIT + c.codePointAt(0)!, secondary: COMMON, tertiary: 0, upper: false }]
}
