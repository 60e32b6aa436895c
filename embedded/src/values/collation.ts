import { COMMON, getWeights, otherElements } from './collation-weights.js'
import type { Element, Weights } from './collation-weights.js'
import { docOf, int } from './build.js'
import { MongoError, badValue, notSupported, typeMismatch } from './errors.js'
import { display } from './format.js'
import { asInt32 } from './numbers.js'
import { typeName } from './order.js'
import type { Doc, Maybe, Value } from './types.js'

export type CollationOptions = {
  readonly locale: string
  readonly caseLevel: boolean
  readonly caseFirst: 'off' | 'upper' | 'lower'
  readonly strength: 1 | 2 | 3
  readonly numericOrdering: boolean
  readonly alternate: 'non-ignorable' | 'shifted'
  readonly maxVariable: 'punct' | 'space'
  readonly normalization: boolean
  readonly backwards: boolean
}

/** Locales that sort as the root collation does; the others have rules of their own. */
const ROOT_LOCALES: ReadonlySet<string> = new Set(['en', 'en_US', 'de', 'de_AT', 'fr', 'ga', 'id', 'it', 'lb', 'ms', 'nl', 'pt', 'sw', 'xh', 'zu'])
/** Locales of MongoDB 7.0 with rules of their own. */
const TAILORED_LOCALES: ReadonlySet<string> = new Set(('af am ar as az be bg bn bo bs bs_Cyrl ca ceb chr cs cy da dsb dz ee el en_US_POSIX eo es et fa ' +
  'fa_AF fi fil fo fr_CA gl gu ha haw he hi hr hsb hu hy ig is ja ka kk kl km kn ko kok ky lkt ln lo lt lv mk ml mn mr mt my nb ne nn om or pa pl ps ro ' +
  'ru se si sk sl smn sq sr sr_Latn sv ta te th to tr ug uk ur vi vo wae yi yo zh zh_Hant').split(' '))

const FIELDS = ['locale', 'caseLevel', 'caseFirst', 'strength', 'numericOrdering', 'alternate', 'maxVariable', 'normalization', 'backwards', 'version']
/** What MongoDB 7.0 stores with a collation. */
const VERSION = '57.1'
const NUMBER_DIGITS = 254
const CACHED = 2000
const MAX_CACHED_LENGTH = 200

/** Unicode's root order (that of English and some more languages) by sort keys: a key is made once and then compared as bytes. */
export class Collation {
  readonly #weights: Weights
  /** Nothing but the levels is asked for. */
  readonly #plain: boolean
  readonly #keys = new Map<string, Buffer>()

  private constructor (readonly options: CollationOptions) {
    this.#weights = getWeights()
    const { numericOrdering, alternate, caseLevel, caseFirst } = options
    this.#plain = !numericOrdering && !caseLevel && caseFirst === 'off' && alternate === 'non-ignorable'
  }

  /** @returns undefined for the locale `simple`, which compares bytes */
  static parse (spec: Doc): Collation | undefined {
    checkFields(spec)
    const locale = parseLocale(spec)
    if (locale === 'simple') {
      if (spec.size > 1) throw badValue(`If the 'locale' is 'simple', no other fields may be specified: ${display(spec)}`)
      return undefined
    }
    return new Collation(parseOptions(spec, locale))
  }

  compare (a: string, b: string): number {
    return a === b ? 0 : Buffer.compare(this.key(a), this.key(b))
  }

  /** Bytes in the order of the texts; equal exactly if the texts compare as equal. */
  key (text: string): Buffer {
    const known = this.#keys.get(text)
    if (known !== undefined) return known
    const key = (this.#plain ? asciiKey(text, this.#weights.ascii, this.options.strength) : undefined) ?? sortKey(this.#elements(text), this.options)
    if (text.length <= MAX_CACHED_LENGTH) {
      if (this.#keys.size >= CACHED) this.#keys.clear()
      this.#keys.set(text, key)
    }
    return key
  }

  equals (other: Collation | undefined): boolean {
    if (other === undefined) return false
    return this === other || JSON.stringify(this.options) === JSON.stringify(other.options)
  }

  /** The complete specification, as listIndexes shows it. */
  toDoc (): Doc {
    const { strength, ...rest } = this.options
    return docOf({
      locale: rest.locale,
      caseLevel: rest.caseLevel,
      caseFirst: rest.caseFirst,
      strength: int(strength),
      numericOrdering: rest.numericOrdering,
      alternate: rest.alternate,
      maxVariable: rest.maxVariable,
      normalization: rest.normalization,
      backwards: rest.backwards,
      version: VERSION
    })
  }

  #elements (text: string): Element[] {
    const elements: Element[] = []
    const characters = Array.from(text.normalize('NFD'))
    for (let i = 0; i < characters.length; i++) {
      const digits = this.options.numericOrdering ? digitsAt(characters, i) : ''
      if (digits !== '') {
        this.#putNumber(elements, digits)
        i += digits.length - 1
      } else i += this.#putCharacter(elements, characters, i)
    }
    return this.options.alternate === 'shifted' ? this.#withoutVariable(elements) : elements
  }

  /** @returns how many further characters were taken */
  #putCharacter (elements: Element[], characters: readonly string[], i: number): number {
    const { elements: table, joining } = this.#weights
    const next = characters[i + 1]
    const joined = next !== undefined && joining.has(next) ? table.get(characters[i] + next) : undefined
    const found = joined ?? table.get(characters[i]) ?? otherElements(characters[i], this.#weights)
    for (const element of found) elements.push(element)
    return joined === undefined ? 0 : 1
  }

  /** A number by its length and then its digits, without the zeros in front; one of many digits in pieces, as ICU does it. */
  #putNumber (elements: Element[], digits: string): void {
    for (let rest = digits; rest !== '';) {
      const value = rest.replace(/^0+(?=.)/, '').slice(0, NUMBER_DIGITS)
      rest = rest.slice(rest.search(/[1-9]|.$/) + value.length)
      const primaries = [this.#weights.number, value.length, ...Array.from(value, digit => Number(digit) + 1)]
      for (const primary of primaries) elements.push({ primary, secondary: COMMON, tertiary: 0, upper: false })
    }
  }

  /** Shifted: spaces (and punctuation), with the marks on them, count for nothing. */
  #withoutVariable (elements: readonly Element[]): Element[] {
    const { space, punct } = this.#weights.symbols
    const limit = this.options.maxVariable === 'space' ? space : punct
    let skipping = false
    return elements.filter(({ primary }) => {
      if (primary !== 0) skipping = primary < limit
      return !skipping
    })
  }
}

const DIGIT = /^\p{Nd}$/u

/** A run of digits in ASCII, from whatever script: the digits of a script are ten consecutive points. */
function digitsAt (characters: readonly string[], start: number): string {
  let digits = ''
  for (let i = start; i < characters.length; i++) {
    const c = characters[i]
    if (c >= '0' && c <= '9') digits += c
    else if (c > '\u007f' && DIGIT.test(c)) digits += digitValue(c)
    else break
  }
  return digits
}

function digitValue (c: string): number {
  const ascii = c.normalize('NFKC')
  if (ascii >= '0' && ascii <= '9') return Number(ascii)
  let value = 0
  while (value < 9 && DIGIT.test(String.fromCodePoint(c.codePointAt(0)! - value - 1))) value++
  return value
}

let scratch = Buffer.allocUnsafeSlow(1024)

/** What sortKey gives for a text of ASCII characters that have one element each: most texts, and several times faster. */
function asciiKey (text: string, ascii: readonly (Element | undefined)[], strength: number): Buffer | undefined {
  if (text.length * 3 + 2 > scratch.length) scratch = Buffer.allocUnsafeSlow(text.length * 6)
  let at = 0
  let cased = 0
  for (let i = 0; i < text.length; i++) {
    const element = ascii[text.charCodeAt(i)]
    if (element === undefined) return undefined
    scratch[at++] = (element.primary >> 8) + 2
    scratch[at++] = element.primary
    if (element.tertiary !== 0) cased = i + 1
  }
  if (strength > 1) scratch[at++] = 0
  if (strength > 2) scratch[at++] = 0
  const tertiaries = strength > 2 ? cased : 0
  for (let i = 0; i < tertiaries; i++) scratch[at++] = ascii[text.charCodeAt(i)]!.tertiary + 1
  return Buffer.from(scratch.subarray(0, at))
}

/** The levels one after the other; 0 ends a level and is below every weight. */
function sortKey (elements: readonly Element[], options: CollationOptions): Buffer {
  const bytes: number[] = []
  for (const { primary } of elements) if (primary !== 0) putPrimary(bytes, primary)
  if (options.strength > 1) putSecondaries(bytes, elements, options.backwards)
  if (options.caseLevel) putLevel(bytes, elements.filter(e => e.primary !== 0).map(e => caseWeight(e, options)))
  if (options.strength > 2) putLevel(bytes, elements.map(e => tertiaryWeight(e, options)))
  return Buffer.from(bytes)
}

/** Two bytes for the table's weights, four for the implicit ones behind them. No weight is the beginning of another. */
function putPrimary (bytes: number[], primary: number): void {
  if (primary < 0x100000) bytes.push((primary >> 8) + 2, primary & 255)
  else bytes.push(0xff, (primary >> 16) & 255, (primary >> 8) & 255, primary & 255)
}

function putSecondaries (bytes: number[], elements: readonly Element[], backwards: boolean): void {
  const weights = elements.map(e => e.secondary)
  bytes.push(0)
  if (backwards) weights.reverse()
  // Common weights at the end are left out: what is equal up to there has as many of them.
  for (const weight of weights.slice(0, weights.findLastIndex(w => w !== COMMON) + 1)) {
    if (weight === COMMON) bytes.push(1)
    else bytes.push((weight >> 8) + 2, weight & 255)
  }
}

function putLevel (bytes: number[], weights: readonly number[]): void {
  bytes.push(0)
  for (const weight of weights.slice(0, weights.findLastIndex(w => w !== 1) + 1)) bytes.push(weight)
}

const caseWeight = (e: Element, { caseFirst }: CollationOptions): number => e.upper === (caseFirst !== 'upper') ? 2 : 1

function tertiaryWeight (e: Element, { caseFirst, caseLevel }: CollationOptions): number {
  const weight = Math.min(e.tertiary + 1, 127)
  // With a level of its own the case counts there.
  return caseFirst === 'off' || caseLevel ? weight : weight + (e.upper === (caseFirst === 'upper') || e.primary === 0 ? 0 : 127)
}

function checkFields (spec: Doc): void {
  for (const field of spec.keys()) {
    if (!FIELDS.includes(field)) throw new MongoError(40415, `BSON field 'collation.${field}' is an unknown field.`)
  }
}

const wrongType = (field: string, value: Value, types: string): MongoError =>
  typeMismatch(`BSON field 'collation.${field}' is the wrong type '${typeName(value)}', expected type '${types}'`)

const invalid = (field: string, spec: Doc): MongoError => badValue(`Field '${field}' is invalid in: ${display(spec)}`)

function parseLocale (spec: Doc): string {
  const locale = spec.get('locale')
  if (locale === undefined) throw new MongoError(40414, "BSON field 'collation.locale' is missing but a required field")
  if (typeof locale !== 'string') throw wrongType('locale', locale, 'string')
  if (locale === 'simple' || ROOT_LOCALES.has(locale)) return locale
  if (TAILORED_LOCALES.has(locale.split('@')[0])) throw notSupported(`the collation locale '${locale}'`)
  if (locale.includes('@') && ROOT_LOCALES.has(locale.split('@')[0])) throw notSupported(`the collation locale '${locale}'`)
  throw invalid('locale', spec)
}

function parseOptions (spec: Doc, locale: string): CollationOptions {
  const flag = (field: string): boolean => parseFlag(field, spec.get(field))
  return {
    locale,
    caseLevel: flag('caseLevel'),
    caseFirst: parseChoice(spec, 'caseFirst', ['off', 'upper', 'lower']),
    strength: parseStrength(spec),
    numericOrdering: flag('numericOrdering'),
    alternate: parseChoice(spec, 'alternate', ['non-ignorable', 'shifted']),
    maxVariable: parseChoice(spec, 'maxVariable', ['punct', 'space']),
    normalization: flag('normalization'),
    backwards: flag('backwards')
  }
}

function parseFlag (field: string, value: Maybe): boolean {
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw wrongType(field, value, 'bool')
  return value
}

/** @param choices the first is the default */
function parseChoice<T extends string> (spec: Doc, field: string, choices: readonly T[]): T {
  const value = spec.get(field)
  if (value === undefined) return choices[0]
  if (typeof value !== 'string') throw wrongType(field, value, 'string')
  const choice = choices.find(c => c === value)
  if (choice === undefined) throw badValue(`Enumeration value '${value}' for field 'collation.${field}' is not a valid value.`)
  return choice
}

function parseStrength (spec: Doc): 1 | 2 | 3 {
  const value = spec.get('strength')
  if (value === undefined) return 3
  const strength = asInt32(value)
  if (strength === undefined) throw wrongType('strength', value, 'int')
  if (strength < 1 || strength > 5) throw badValue(`Enumeration value '${strength}' for field 'collation.strength' is not a valid value.`)
  if (strength > 3) throw notSupported(`the collation strength ${strength}`)
  return strength as 1 | 2 | 3
}
