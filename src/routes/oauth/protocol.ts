import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import * as operations from '../../schemas/oauth-protocol.js'
import { failureBody } from '../../plugins/errors.js'
import { CommonError, ServiceError } from '../../services/kit.js'
import { credentialsOf } from '../../services/oauth/clients.js'
import { OauthError, rfcName } from '../../services/oauth/errors.js'
import type { TokensService } from '../../services/oauth/tokens.js'
import { acceptForms } from './form.js'
import { callerOf } from './screens.js'

type Options = { tokens: TokensService, metadata: Record<string, string | string[] | boolean> }
const TOKEN = { access: 'public', limit: 'auth-token', disableLog: true } as const

/** The members of the RFC at the top, and once more where the house keeps its data. */
const both = <T extends object> (body: T) => ({ ...body, data: body })

function known (error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  const { validation, statusCode, code, name } = error as { validation?: { instancePath: string }[], statusCode?: number, code?: string, name?: string }
  if (Array.isArray(validation)) return OauthError.INVALID_REQUEST(`${validation[0]?.instancePath.slice(1) || 'the body'} is not valid`)
  if (statusCode === 413) return CommonError.PAYLOAD_TOO_LARGE()
  if (statusCode === 415 || code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return CommonError.UNSUPPORTED_MEDIA_TYPE()
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return OauthError.INVALID_REQUEST('the body cannot be read')
  if (/^Mongo/.test(name ?? '')) return CommonError.DATABASE_UNAVAILABLE().because(error)
  return CommonError.INTERNAL_ERROR().because(error)
}

export const protocol: FastifyPluginAsyncTypebox<Options> = async (app, { tokens, metadata }) => {
  acceptForms(app)
  app.addHook('onSend', async (_req, reply) => { reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' }) })
  app.setErrorHandler((error, req, reply) => {
    const failure = known(error)
    if (failure.status >= 500) req.log.error({ err: failure.cause ?? error }, 'a token request failed')
    if (failure.headers !== undefined) reply.headers(failure.headers)
    const { status, code, message, info, data, errors } = failure
    const body = { ...failureBody({ status, code, message, info, data, errors }, req.id), error: rfcName(failure), error_description: message }
    return reply.code(status).type('application/json; charset=utf-8').serializer(String).send(JSON.stringify(body))
  })

  app.post('/token', { schema: operations.token, config: TOKEN }, async req =>
    ({ ...both(await tokens.token(req.body, credentialsOf(req.headers.authorization, req.body), callerOf(req))), message: 'Token issued.' }))

  app.post('/revoke', { schema: operations.revokeToken, config: TOKEN }, async req => {
    await tokens.revoke(req.body.token, credentialsOf(req.headers.authorization, req.body))
    return { data: {}, message: 'Revoked.' }
  })

  app.post('/introspect', { schema: operations.introspectToken, config: TOKEN }, async req =>
    both(await tokens.introspect(req.body.token, credentialsOf(req.headers.authorization, req.body), req.id)))

  app.get('/.well-known/oauth-authorization-server', { schema: operations.oauthMetadata, config: { access: 'public', limit: 'public-read', disableLog: true } }, async () => both(metadata))
}
