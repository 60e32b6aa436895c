import type { TextSpec } from '../catalog/types.js'
import type { TextNode } from '../matcher/ast.js'
import { badValue, notSupported } from '../values/errors.js'
import type { Doc } from '../values/types.js'
import { textFields } from './fields.js'
import { isOtherLanguage, languageOf, tokens, withoutDiacritics } from './tokenizer.js'
import type { Language, TokenOptions } from './tokenizer.js'

/** A `$text` search taken apart. */
export type TextQuery = {
  /** terms to look up in the index; a document needs one of them */
  readonly terms: readonly string[]
  /** whether the index alone answers: no phrase, no negation, no case or diacritics */
  readonly exact: boolean
  matches (doc: Doc): boolean
}

type Parts = { readonly positive: string[], readonly negative: string[], readonly phrases: string[], readonly negatedPhrases: string[] }

export function parseTextQuery (node: TextNode, spec: TextSpec): TextQuery {
  const language = searchLanguage(node.language ?? spec.defaultLanguage)
  const options: TokenOptions = { caseSensitive: node.caseSensitive, diacriticSensitive: node.diacriticSensitive }
  const sensitive = node.caseSensitive || node.diacriticSensitive
  const parts = split(node.search)
  const terms = [...new Set(tokens(parts.positive.join(' '), language))]
  const positive = sensitive ? new Set(tokens(parts.positive.join(' '), language, options)) : undefined
  const negative = new Set(tokens(parts.negative.join(' '), language, options))
  const phrases = parts.phrases.map(phrase => folded(phrase, options))
  const negatedPhrases = parts.negatedPhrases.map(phrase => folded(phrase, options))
  return {
    terms,
    exact: positive === undefined && negative.size === 0 && phrases.length === 0 && negatedPhrases.length === 0,
    matches (doc) {
      const fields = textFields(spec, doc)
      const hasTerm = (wanted: ReadonlySet<string>): boolean => fields.some(field => tokens(field.text, field.language, options).some(term => wanted.has(term)))
      const hasPhrase = (phrase: string): boolean => fields.some(({ text }) => folded(text, options).includes(phrase))
      if (positive !== undefined && !hasTerm(positive)) return false
      if (negative.size > 0 && hasTerm(negative)) return false
      return phrases.every(hasPhrase) && !negatedPhrases.some(hasPhrase)
    }
  }
}

function searchLanguage (name: string): Language {
  const language = languageOf(name)
  if (language !== undefined) return language
  if (isOtherLanguage(name)) throw notSupported(`$text with the language '${name}'`)
  throw badValue(`unsupported language: "${name}" for text index version 3`)
}

function folded (text: string, { caseSensitive = false, diacriticSensitive = false }: TokenOptions): string {
  const cased = caseSensitive ? text : text.toLowerCase()
  return diacriticSensitive ? cased : withoutDiacritics(cased)
}

const PIECES = /(\s+)|(")|(-)|([^\s"-]+)/gu

/**
 * Quotes make phrases, whose words are searched, too. A minus behind white space (or at the start) negates the phrase or
 * what follows up to the next white space; inside a word or a phrase it is only a delimiter.
 */
function split (search: string): Parts {
  const parts: Parts = { positive: [], negative: [], phrases: [], negatedPhrases: [] }
  let inPhrase = false
  let inNegation = false
  let afterSpace = true
  let phraseStart = 0
  for (const { 0: piece, 1: space, 2: quote, 3: minus, index } of search.matchAll(PIECES)) {
    if (space !== undefined) {
      if (!inPhrase) inNegation = false
    } else if (quote !== undefined) {
      if (inPhrase) {
        (inNegation ? parts.negatedPhrases : parts.phrases).push(search.slice(phraseStart, index))
        inNegation = false
      } else phraseStart = index + 1
      inPhrase = !inPhrase
    } else if (minus !== undefined) {
      if (!inPhrase && afterSpace) inNegation = true
    } else if (!inNegation) parts.positive.push(piece)
    else if (!inPhrase) parts.negative.push(piece)
    afterSpace = space !== undefined
  }
  return parts
}
