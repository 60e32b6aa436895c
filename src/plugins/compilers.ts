import { createRequire } from 'node:module'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'

const require = createRequire(import.meta.url)
const addFormats = require('ajv-formats') as (ajv: Ajv) => void
const fastJson = require('fast-json-stringify') as (schema: object, options: object) => (payload: unknown) => string

/** Keywords of schemas/kit.ts that say something to us and nothing to AJV. */
const HOUSE_KEYWORDS = ['component', 'ref']

function createAjv (coerceTypes: boolean): Ajv {
  const ajv = new Ajv({ coerceTypes, useDefaults: true, removeAdditional: false, allErrors: false, strict: false, allowUnionTypes: true, discriminator: true })
  addFormats(ajv)
  for (const keyword of HOUSE_KEYWORDS) ajv.addKeyword(keyword)
  return ajv
}

type RouteSchema = { schema: object, method: string, url: string, httpPart?: string, httpStatus?: string }
type Validator = ((data: unknown) => boolean) & { errors?: ErrorObject[] | FastifySchemaValidationError[] | null }

/** Every compiler made so far, so that a test can compile all schemas at once: a bad one still fails the build. */
export type Eager = { compileAll (): number }

/**
 * Compilers for Fastify that compile a schema when it is first used: compiling those of ~800 routes at start would cost
 * seconds and over 100 MB. Bodies are never coerced (null must not become 0); query strings and params are, for they are text.
 */
export function createCompilers () {
  let bodies: Ajv | undefined
  let others: Ajv | undefined
  const pending: (() => void)[] = []

  const buildValidator = () => ({ schema, httpPart }: RouteSchema): Validator => {
    let compiled: ValidateFunction | undefined
    const compile = () => {
      const ajv = httpPart === 'body' ? bodies ??= createAjv(false) : others ??= createAjv(true)
      compiled ??= ajv.compile(schema)
      return compiled
    }
    pending.push(compile)
    const validate: Validator = data => {
      const run = compiled ?? compile()
      const valid = run(data)
      validate.errors = run.errors ?? null
      return valid
    }
    return validate
  }

  const buildSerializer = () => ({ schema }: RouteSchema) => {
    let compiled: ((payload: unknown) => string) | undefined
    const compile = () => compiled ??= fastJson(schema, { largeArrayMechanism: 'default', rounding: 'trunc' })
    pending.push(compile)
    return (payload: unknown) => (compiled ?? compile())(payload)
  }

  const compileAll = () => {
    for (const compile of pending) compile()
    return pending.length
  }

  return { factory: { buildValidator, buildSerializer } as never, compileAll }
}
