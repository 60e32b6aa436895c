import fp from 'fastify-plugin'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { answerHeaders } from './context.js'
import { CommonError, ServiceError, type FieldError } from '../services/kit.js'

type Answer = { status: number, code: string, message: string, info?: string, data?: Readonly<Record<string, unknown>>, errors?: readonly FieldError[] }

/** The one error body of the service. */
export const failureBody = ({ status, code, message, info, data, errors }: Answer, requestId: string) => ({
  success: false as const,
  errno: status,
  message,
  ...(info !== undefined && { additional_info: info }),
  data: { ...data, code, errors: errors ?? [], request_id: requestId }
})

const problemBody = (answer: Answer, requestId: string) => ({
  type: 'about:blank',
  title: answer.message,
  status: answer.status,
  ...(answer.info !== undefined && { detail: answer.info }),
  instance: `urn:request:${requestId}`,
  ...answer.data,
  code: answer.code,
  errors: answer.errors ?? []
})

/** Fastify's own refusals and those of its plugins, by code. */
const FRAMEWORK: Record<string, () => ServiceError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: CommonError.PAYLOAD_TOO_LARGE,
  FST_REQ_FILE_TOO_LARGE: CommonError.PAYLOAD_TOO_LARGE,
  FST_FILES_LIMIT: CommonError.PAYLOAD_TOO_LARGE,
  FST_PARTS_LIMIT: CommonError.PAYLOAD_TOO_LARGE,
  FST_FIELDS_LIMIT: CommonError.PAYLOAD_TOO_LARGE,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: CommonError.UNSUPPORTED_MEDIA_TYPE,
  FST_INVALID_MULTIPART_CONTENT_TYPE: CommonError.UNSUPPORTED_MEDIA_TYPE,
  FST_UNDER_PRESSURE: () => CommonError.OVERLOADED().with({ headers: { 'retry-after': '5' } }),
  FST_ERR_REOPENED_CLOSE_SERVER: CommonError.SERVICE_DRAINING
}

const AWAY = new Set([
  'MongoServerSelectionError', 'MongoNetworkError', 'MongoNetworkTimeoutError', 'MongoNotConnectedError', 'MongoTopologyClosedError',
  'MongoWaitQueueTimeoutError', 'MongoPoolClearedError', 'PoolClearedOnNetworkError', 'MongoClientClosedError', 'MongooseServerSelectionError', 'MongoExpiredSessionError'
])

type Thrown = FastifyError & { cause?: unknown, params?: unknown, validationContext?: string }

/** Turns whatever was thrown into what the caller may know; null means that nobody foresaw it. */
function foreseen (error: Thrown): ServiceError | null {
  if (error instanceof ServiceError) return error
  if (Array.isArray(error.validation)) return invalid(error)
  const framework = FRAMEWORK[error.code]
  if (framework !== undefined) return framework().because(error)
  if ((error as { code?: unknown }).code === 11000) return CommonError.DUPLICATE_DOCUMENT().because(error)
  if (AWAY.has(error.name) || (error as { code?: unknown }).code === 50) {
    return CommonError.DATABASE_UNAVAILABLE().with({ headers: { 'retry-after': '2' } }).because(error)
  }
  if (isUpstream(error)) return new ServiceError(error.status, error.code, error.message, { data: error.data }).because(error)
  if (typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500) {
    return new ServiceError(error.statusCode, CLIENT_CODES[error.statusCode] ?? 'VALIDATION_FAILED', 'The request is not valid.', {
      errors: [{ path: 'body', message: error.message, code: 'malformed' }]
    })
  }
  return null
}

const CLIENT_CODES: Record<number, string> = { 413: 'PAYLOAD_TOO_LARGE', 415: 'UNSUPPORTED_MEDIA_TYPE', 429: 'RATE_LIMITED' }

/** Errors of services/http carry status, code and a body that is already stripped. */
const isUpstream = (error: unknown): error is { status: number, code: string, message: string, data?: Record<string, unknown> } =>
  (error as Error).name === 'UpstreamError' && typeof (error as { status?: unknown }).status === 'number'

function invalid (error: Thrown): ServiceError {
  const errors = error.validation!.map(({ instancePath, keyword, message, params }) => {
    const extra = (params as { additionalProperty?: string, missingProperty?: string })
    const leaf = extra.additionalProperty ?? extra.missingProperty
    const path = [error.validationContext ?? 'body', ...instancePath.split('/').slice(1), ...(leaf === undefined ? [] : [leaf])].join('.')
    return { path, message: message ?? 'is not valid', code: keyword }
  })
  return CommonError.VALIDATION_FAILED().with({ errors })
}

/** Error handler and envelope of failures; unknown errors tell the caller nothing (the stack only in development). */
export const errors = fp<{ development: boolean }>(async (app, { development }) => {
  app.setErrorHandler((error: Thrown, req: FastifyRequest, reply: FastifyReply) => {
    const known = foreseen(error)
    if (known === null) req.log.error({ err: error, operation: operationOf(req) }, 'unforeseen error')
    else if (known.status >= 500) req.log.warn({ err: known.cause ?? known, code: known.code }, 'request failed')
    else if (known.cause !== undefined) req.log.debug({ err: known.cause, code: known.code }, 'request refused')
    return sendFailure(req, reply, known ?? CommonError.INTERNAL_ERROR().with(development ? { info: error.stack } : {}))
  })
}, { name: 'errors' })

/** Answers with an error outside of a handler too (unknown routes, hooks). */
export function sendFailure (req: FastifyRequest, reply: FastifyReply, error: ServiceError): FastifyReply {
  const answer: Answer = { status: error.status, code: error.code, message: error.message, info: error.info, data: error.data, errors: error.errors }
  if (!reply.hasHeader('x-request-id')) {
    const headers = answerHeaders(req.id, req.server.dashboardVersion.current)
    for (let i = 0; i < headers.length; i += 2) reply.header(headers[i]!, headers[i + 1])
  }
  if (error.headers !== undefined) reply.headers(error.headers)
  const problem = String(req.headers.accept ?? '').includes('application/problem+json')
  return reply
    .code(error.status)
    .type(problem ? 'application/problem+json; charset=utf-8' : 'application/json; charset=utf-8')
    .serializer(String)
    .send(JSON.stringify(problem ? problemBody(answer, req.id) : failureBody(answer, req.id)))
}

export const operationOf = (req: FastifyRequest): string | undefined => (req.routeOptions.schema as { operationId?: string } | undefined)?.operationId
