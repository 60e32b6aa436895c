import type { TextSpec } from '../catalog/types.js'
import { MongoError, notSupported } from '../values/errors.js'
import { Doc } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { isOtherLanguage, languageOf } from './tokenizer.js'
import type { Language } from './tokenizer.js'

/** A text of a document with the weight of its path and the language it is in. */
export type TextField = { readonly text: string, readonly weight: number, readonly language: Language }

/** The language by a name in an index or a document. */
function knownLanguage (name: string): Language {
  const language = languageOf(name)
  if (language !== undefined) return language
  if (isOtherLanguage(name)) throw notSupported(`text in the language '${name}'`)
  throw new MongoError(17262, `language override unsupported: ${name}`)
}

/** The texts of a document that a text index covers; a sub-document may name another language for itself. */
export function textFields (spec: TextSpec, doc: Doc): TextField[] {
  const fields: TextField[] = []
  const wildcard = spec.weights.get('$**')

  function visit (value: Maybe, path: string, language: Language): void {
    if (typeof value === 'string') {
      const weight = spec.weights.get(path) ?? wildcard
      if (weight !== undefined) fields.push({ text: value, weight, language })
    } else if (value instanceof Doc) visitDocument(value, path, language)
    else if (Array.isArray(value)) for (const element of value) visit(element, path, language)
  }

  function visitDocument (inner: Doc, path: string, outer: Language): void {
    const override = inner.get(spec.languageOverride)
    const language = typeof override === 'string' ? knownLanguage(override) : outer
    for (const key of inner.keys()) {
      const at = path === '' ? key : `${path}.${key}`
      if (leadsToWeight(spec, at)) visit(inner.get(key), at, language)
    }
  }

  visitDocument(doc, '', knownLanguage(spec.defaultLanguage))
  return fields
}

function leadsToWeight ({ weights }: TextSpec, path: string): boolean {
  if (weights.has('$**') || weights.has(path)) return true
  for (const known of weights.keys()) if (known.startsWith(path) && known[path.length] === '.') return true
  return false
}
