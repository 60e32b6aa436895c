import { sortKey } from './collation-key.js'
import { putNumber } from './collation-number.js'
import { PUNCTUATION_END, SPACES_END } from './collation-table.js'
import { getWeights, ruledElements } from './collation-weights.js'
import type { Elements } from './collation-weights.js'
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
const CACHED = 2000
const KNOWN = 50
const MAX_CACHED_LENGTH = 200

/** Unicode's root order (that of English and some more languages) by ICU's sort keys: a key is made once and then compared as bytes. */
export class Collation {
  readonly #weights = getWeights()
  readonly #keys = new Map<string, Buffer>()

  private constructor (readonly options: CollationOptions) {}

  /** @returns undefined for the locale `simple`, which compares bytes */
  static parse (spec: Doc): Collation | undefined {
    checkFields(spec)
    const locale = parseLocale(spec)
    if (locale === 'simple') {
      if (spec.size > 1) throw badValue(`If the 'locale' is 'simple', no other fields may be specified: ${display(spec)}`)
      return undefined
    }
    return Collation.#of(parseOptions(spec, locale))
  }

  static readonly #known = new Map<string, Collation>()

  /** Equal specifications share their keys: most commands of an application name the same one. */
  static #of (options: CollationOptions): Collation {
    const name = JSON.stringify(options)
    const collation = Collation.#known.get(name) ?? new Collation(options)
    if (Collation.#known.size >= KNOWN) Collation.#known.clear()
    Collation.#known.set(name, collation)
    return collation
  }

  compare (a: string, b: string): number {
    return a === b ? 0 : Buffer.compare(this.key(a), this.key(b))
  }

  /** Bytes in the order of the texts; equal exactly if the texts compare as equal. MongoDB's errors show the same bytes. */
  key (text: string): Buffer {
    const known = this.#keys.get(text)
    if (known !== undefined) return known
    const key = sortKey(this.#elements(text), this.options)
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

  #elements (text: string): Elements {
    const elements: number[] = []
    const points = pointsOf(text)
    for (let i = 0; i < points.length; i++) {
      const digits = this.options.numericOrdering ? digitsAt(points, i) : NO_DIGITS
      if (digits.length > 0) {
        putNumber(elements, digits)
        i += digits.length - 1
      } else i += this.#putCharacter(elements, points, i)
    }
    return this.options.alternate === 'shifted' ? this.#withoutVariable(elements) : elements
  }

  /** @returns how many further characters were taken */
  #putCharacter (elements: number[], points: readonly number[], i: number): number {
    const { characters, strings, joining } = this.#weights
    let more = 0
    while (more < 2 && points[i + more + 1] > 0x7f && joining.has(points[i + more + 1])) more++
    for (; more > 0; more--) {
      const found = strings.get(String.fromCodePoint(...points.slice(i, i + more + 1)))
      if (found !== undefined) {
        elements.push(...found)
        return more
      }
    }
    const point = points[i]
    const found = (point < 128 ? this.#weights.ascii[point] : characters.get(point)) ?? ruledElements(point)
    for (let k = 0; k < found.length; k++) elements.push(found[k])
    return 0
  }

  /** Shifted: spaces (and punctuation), with the marks on them, count for nothing. */
  #withoutVariable (elements: Elements): Elements {
    const limit = this.options.maxVariable === 'space' ? SPACES_END : PUNCTUATION_END
    const kept: number[] = []
    let skipping = false
    for (let i = 0; i < elements.length; i += 2) {
      if (elements[i] !== 0) skipping = elements[i] < limit
      if (!skipping) kept.push(elements[i], elements[i + 1])
    }
    return kept
  }
}

const NOT_ASCII = /[^\0-\x7f]/
const NO_DIGITS: readonly number[] = []

/** The code points of the text with its letters and marks apart. */
function pointsOf (text: string): number[] {
  if (NOT_ASCII.test(text)) return Array.from(text.normalize('NFD'), c => c.codePointAt(0)!)
  const points: number[] = []
  for (let i = 0; i < text.length; i++) points.push(text.charCodeAt(i))
  return points
}

const DIGIT = /^\p{Nd}$/u

/** A run of digits, from whatever script. */
function digitsAt (points: readonly number[], start: number): number[] {
  const digits: number[] = []
  for (let i = start; i < points.length; i++) {
    const point = points[i]
    if (point < 128 ? point < 48 || point > 57 : !DIGIT.test(String.fromCodePoint(point))) break
    digits.push(point < 128 ? point - 48 : digitValue(point))
  }
  return digits
}

/** The digits of a script are ten consecutive points. */
function digitValue (point: number): number {
  const ascii = String.fromCodePoint(point).normalize('NFKC')
  if (ascii >= '0' && ascii <= '9') return Number(ascii)
  let value = 0
  while (value < 9 && DIGIT.test(String.fromCodePoint(point - value - 1))) value++
  return value
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
