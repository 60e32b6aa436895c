import { createHash } from 'node:crypto'

const MAX_TERMS = 200
const MAX_LENGTH = 64
const MAX_WORDS_OF_Q = 8

/** Text as it is compared everywhere: NFKC, lower case, accents removed, white space collapsed. */
export const fold = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim()

export const wordsOf = (text: string): string[] => fold(text).split(/[^\p{L}\p{N}@._+-]+/u).flatMap(splitMarks).filter(word => word !== '')

/** `jane@acme.co` is found whole and by its parts. */
const splitMarks = (word: string): string[] => {
  const parts = word.split(/[@._+-]+/).filter(part => part !== '')
  return parts.length > 1 ? [word, ...parts] : parts
}

/** A whole value over the length is kept as its beginning and a hash, so that equality stays exact. */
const whole = (text: string): string => text.length <= MAX_LENGTH
  ? text
  : text.slice(0, MAX_LENGTH - 17) + '#' + createHash('sha256').update(text).digest('hex').slice(0, 16)

/**
 * The stored companion of searchable fields: `<field>=` the whole value, `<field>:` each word, bare words for `q`.
 * Rebuilt in the same write as the record; words past the limit are not searchable.
 */
export function searchTerms (fields: Readonly<Record<string, string | null | undefined>>): string[] {
  const terms = new Set<string>()
  for (const [field, value] of Object.entries(fields)) if (typeof value === 'string' && value !== '') terms.add(`${field}=${whole(fold(value))}`)
  for (const [field, value] of Object.entries(fields)) {
    for (const word of typeof value === 'string' ? wordsOf(value) : []) {
      terms.add(`${field}:${word.slice(0, MAX_LENGTH)}`)
      terms.add(word.slice(0, MAX_LENGTH))
    }
  }
  return [...terms].slice(0, MAX_TERMS)
}

type TermFilter = { search_terms: { $elemMatch: { $gte: string, $lt: string } } }
export const beginsWith = (prefix: string): TermFilter => ({ search_terms: { $elemMatch: { $gte: prefix, $lt: `${prefix}\uffff` } } })

/** The filter of `q`: every word must begin a word of any searchable field. */
export const compileQ = (q: string): TermFilter[] => fold(q).split(' ').filter(word => word !== '').slice(0, MAX_WORDS_OF_Q).map(word => beginsWith(word.slice(0, MAX_LENGTH)))
