import { docOf, int } from '../../values/build.js'
import { failedToParse, typeMismatch } from '../../values/errors.js'
import { typeName } from '../../values/order.js'
import { Doc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { parseNonNegativeLong } from '../integers.js'
import { parseRegex } from '../regex.js'
import type { RegexTest } from '../ast.js'
import { failure } from './schema.js'
import type { Keyword, KeywordReader, Schema } from './schema.js'

type Parse = (reader: KeywordReader) => Keyword | undefined

/** A keyword about documents; `explain` is only asked about those. */
const onDocuments = (test: (doc: Doc) => boolean, explain: (doc: Doc) => readonly Value[]): Keyword => ({
  test: value => !(value instanceof Doc) || test(value),
  explain: value => explain(value as Doc)
})

function nestedSchema (reader: KeywordReader, name: string, value: Value): Schema {
  if (value instanceof Doc) return reader.nested(value, false)
  throw typeMismatch(`Nested schema for $jsonSchema property '${name}' must be an object`)
}

const properties: Parse = reader => {
  const value = reader.object('properties')
  if (value === undefined) return undefined
  const schemas = Array.from(value, ([name, schema]) => ({ name, schema: nestedSchema(reader, name, schema) }))
  const passes = (doc: Doc, name: string, schema: Schema): boolean => {
    const property = doc.get(name)
    return property === undefined || schema.test(property)
  }
  return onDocuments(doc => schemas.every(({ name, schema }) => passes(doc, name, schema)), doc => [docOf({
    operatorName: 'properties',
    propertiesNotSatisfied: schemas.filter(({ name, schema }) => !passes(doc, name, schema))
      .map(({ name, schema }) => docOf({ propertyName: name, ...schema.annotations, details: schema.explain(doc.get(name)!) }))
  })])
}

type PatternSchema = { readonly pattern: string, readonly regex: RegexTest, readonly schema: Schema }

function patternSchemas (reader: KeywordReader): PatternSchema[] {
  const value = reader.object('patternProperties')
  return Array.from(value ?? [], ([pattern, schema]) => {
    if (schema instanceof Doc) return { pattern, regex: parseRegex(pattern, ''), schema: reader.nested(schema, false) }
    throw typeMismatch(`$jsonSchema keyword 'patternProperties' has property '${pattern}' which is not an object`)
  })
}

/** `false`, a schema, or nothing to say. */
function additionalSchema (reader: KeywordReader): false | Schema | undefined {
  const value = reader.get('additionalProperties')
  if (value === undefined || typeof value === 'boolean') return value === false ? false : undefined
  if (value instanceof Doc) return reader.nested(value, false)
  throw typeMismatch("$jsonSchema keyword 'additionalProperties' must be an object or a boolean")
}

const allowedProperties: Parse = reader => {
  if (reader.get('patternProperties') === undefined && reader.get('additionalProperties') === undefined) return undefined
  return new AllowedProperties(new Set(reader.object('properties')?.keys()), patternSchemas(reader), additionalSchema(reader))
}

/** patternProperties and additionalProperties, which MongoDB checks together. */
class AllowedProperties implements Keyword {
  constructor (
    private readonly named: ReadonlySet<string>, private readonly patterns: readonly PatternSchema[], private readonly additional: false | Schema | undefined
  ) {}

  test (value: Value): boolean {
    if (!(value instanceof Doc)) return true
    for (const [name, property] of value) {
      for (const { regex, schema } of this.patterns) if (regex.test(name) && !schema.test(property)) return false
      if (this.additional !== undefined && this.#isAdditional(name) && !this.#allows(property)) return false
    }
    return true
  }

  #isAdditional (name: string): boolean {
    return !this.named.has(name) && !this.patterns.some(({ regex }) => regex.test(name))
  }

  #allows (property: Value): boolean {
    return this.additional !== false && (this.additional === undefined || this.additional.test(property))
  }

  explain (value: Value): Value[] {
    const doc = value as Doc
    const patterns = this.patterns.flatMap(pattern => this.#patternFailure(doc, pattern))
    const details = this.#additionalFailure(doc)
    return patterns.length === 0 ? details : [...details, docOf({ operatorName: 'patternProperties', details: patterns })]
  }

  #patternFailure (doc: Doc, { pattern, regex, schema }: PatternSchema): Doc[] {
    const found = [...doc].find(([name, property]) => regex.test(name) && !schema.test(property))
    if (found === undefined) return []
    return [docOf({ propertyName: found[0], ...schema.annotations, regexMatched: pattern, details: schema.explain(found[1]) })]
  }

  #additionalFailure (doc: Doc): Doc[] {
    const { additional } = this
    const extra = [...doc].filter(([name]) => this.#isAdditional(name))
    if (additional === undefined) return []
    if (additional === false) {
      const names = extra.map(([name]) => name)
      return names.length === 0
        ? []
        : [docOf({ operatorName: 'additionalProperties', specifiedAs: docOf({ additionalProperties: false }), additionalProperties: names })]
    }
    const failing = extra.find(([, property]) => !additional.test(property))
    return failing === undefined
      ? []
      : [docOf({
          operatorName: 'additionalProperties',
          ...additional.annotations,
          reason: 'at least one additional property did not match the subschema',
          failingProperty: failing[0],
          details: additional.explain(failing[1])
        })]
  }
}

const required: Parse = reader => {
  const value = reader.get('required')
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw typeMismatch(`$jsonSchema keyword 'required' must be an array, but found an element of type ${typeName(value)}`)
  const names = value.map(name => {
    if (typeof name === 'string') return name
    throw typeMismatch(`$jsonSchema keyword 'required' must be an array of strings, but found an element of type: ${typeName(name)}`)
  })
  if (names.length === 0) throw failedToParse("$jsonSchema keyword 'required' cannot be an empty array")
  if (new Set(names).size !== names.length) throw failedToParse("$jsonSchema keyword 'required' array cannot contain duplicate values")
  return onDocuments(doc => names.every(name => doc.has(name)), doc => [docOf({
    operatorName: 'required', specifiedAs: reader.specifiedAs('required'), missingProperties: names.filter(name => !doc.has(name)).sort()
  })])
}

const propertyCount = (keyword: string, holds: (size: bigint, limit: bigint) => boolean): Parse => reader => {
  const value = reader.get(keyword)
  if (value === undefined) return undefined
  const limit = parseNonNegativeLong(keyword, value)
  return onDocuments(doc => holds(BigInt(doc.size), limit), doc =>
    [failure(keyword, reader.specifiedAs(keyword), 'specified number of properties was not satisfied', { numberOfProperties: int(doc.size) })])
}

type Dependency = { test (doc: Doc): boolean, explain (doc: Doc): Doc }

const dependencies: Parse = reader => {
  const value = reader.object('dependencies')
  if (value === undefined) return undefined
  const parsed = Array.from(value, ([name, dependency]) => parseDependency(reader, name, dependency))
  return onDocuments(doc => parsed.every(dependency => dependency.test(doc)), doc => [docOf({
    operatorName: 'dependencies', failingDependencies: parsed.filter(dependency => !dependency.test(doc)).map(dependency => dependency.explain(doc))
  })])
}

function parseDependency (reader: KeywordReader, name: string, value: Value): Dependency {
  if (Array.isArray(value)) return propertyDependency(name, value)
  if (!(value instanceof Doc)) throw typeMismatch(`property '${name}' in $jsonSchema keyword 'dependencies' must be either an object or an array`)
  const schema = reader.nested(value, reader.isRoot)
  return {
    test: doc => !doc.has(name) || schema.test(doc),
    explain: doc => docOf({ conditionalProperty: name, details: schema.explain(doc) })
  }
}

function propertyDependency (name: string, value: readonly Value[]): Dependency {
  const where = `'${name}' in $jsonSchema keyword 'dependencies'`
  if (value.length === 0) throw failedToParse(`property ${where} cannot be an empty array`)
  const names = new Set<string>()
  for (const other of value) {
    if (typeof other !== 'string') throw typeMismatch(`array ${where} can only contain strings, but found element of type: ${typeName(other)}`)
    if (names.has(other)) throw failedToParse(`array ${where} contains duplicate element: ${other}`)
    names.add(other)
  }
  const missing = (doc: Doc): string[] => [...names].filter(other => !doc.has(other))
  return {
    test: doc => !doc.has(name) || missing(doc).length === 0,
    explain: doc => docOf({ conditionalProperty: name, missingProperties: missing(doc) })
  }
}

const PARSERS: readonly Parse[] = [
  properties, allowedProperties, required,
  propertyCount('minProperties', (size, min) => size >= min), propertyCount('maxProperties', (size, max) => size <= max), dependencies
]

export const objectKeywords = (reader: KeywordReader): Keyword[] => PARSERS.map(parse => parse(reader)).filter(keyword => keyword !== undefined)
