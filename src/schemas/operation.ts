import type { TSchema } from '@sinclair/typebox'

/** One constant per operation: all that a route says about itself. */
export type Operation = {
  /** unique in the service; carried into logs, metrics and the audit */
  operationId: string
  /** its module */
  tags: readonly [string]
  summary: string
  description?: string
  deprecated?: boolean
  params?: TSchema
  querystring?: TSchema
  headers?: TSchema
  body?: TSchema
  /** media types of the body, application/json unless said */
  consumes?: readonly string[]
  /** every response that the route can send, by status */
  response: Record<number, TSchema>
}
