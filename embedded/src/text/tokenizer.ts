import { ENGLISH_STOP_WORDS } from './stop-words.js'
import { stemEnglish } from './stemmer.js'

export type Language = 'english' | 'none'

const LANGUAGES: ReadonlyMap<string, Language> = new Map([['none', 'none'], ['english', 'english'], ['en', 'english']])
/** Languages of MongoDB 7.0 that this engine does not stem. */
const OTHERS: ReadonlySet<string> = new Set((
  'danish da dutch nl finnish fi french fr german de hungarian hu italian it norwegian nb portuguese pt romanian ro russian ru spanish es swedish sv turkish tr'
).split(' '))

export const languageOf = (name: string): Language | undefined => LANGUAGES.get(name.toLowerCase())
export const isOtherLanguage = (name: string): boolean => OTHERS.has(name.toLowerCase())

export type TokenOptions = { readonly caseSensitive?: boolean, readonly diacriticSensitive?: boolean }

// What the server's tables take for delimiters; in English an apostrophe is none.
const DELIMITER = String.raw`[\p{Dash}\p{Pattern_Syntax}\p{Quotation_Mark}\p{Terminal_Punctuation}\p{White_Space}]`
const DELIMITERS: ReadonlyMap<Language, RegExp> = new Map([
  ['english', new RegExp(`(?:(?!')${DELIMITER})+`, 'u')],
  ['none', new RegExp(`${DELIMITER}+`, 'u')]
])

export const withoutDiacritics = (text: string): string => text.normalize('NFD').replace(/\p{Mn}/gu, '').normalize('NFC')

/** The terms of a text in order: without stop words, stemmed, and by default without case and diacritics. */
export function tokens (text: string, language: Language, { caseSensitive = false, diacriticSensitive = false }: TokenOptions = {}): string[] {
  const terms: string[] = []
  for (const word of text.split(DELIMITERS.get(language)!)) {
    if (word === '') continue
    const lower = word.toLowerCase()
    if (language === 'english' && ENGLISH_STOP_WORDS.has(lower)) continue
    // The stemmer knows diacritics, so they go last.
    const kept = caseSensitive ? word : lower
    const stem = language === 'english' ? stemEnglish(kept) : kept
    terms.push(diacriticSensitive ? stem : withoutDiacritics(stem))
  }
  return terms
}
