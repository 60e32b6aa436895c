import { createHash } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as operations from '../../schemas/shared-lookups.js'
import type { Lookups } from '../../services/shared/lookups.js'
import { parsePhones } from '../../services/shared/phone.js'
import type { SharedService } from '../../services/shared/index.js'

type Options = { lookups: Lookups, shared: SharedService }
const PUBLIC = { access: 'public', limit: 'public-read' } as const
const READ = { access: 'account', scopes: ['shared.lookups.read'] } as const
const ASK = { ...READ, reads: true } as const

export const lookups: FastifyPluginAsyncTypebox<Options> = async (app, { lookups, shared }) => {
  await app.register(anyone)
  await app.register(member)

  async function anyone (scope: typeof app) {
    scope.get('/countries', { schema: operations.listCountries, config: PUBLIC }, (req, reply) => kept(req, reply, lookups.countries(req.query)))
    scope.get('/countries/:code', { schema: operations.getCountry, config: PUBLIC }, (req, reply) => kept(req, reply, lookups.country(req.params.code, req.query)))
    scope.get('/countries/:code/states', { schema: operations.listStates, config: PUBLIC }, (req, reply) => kept(req, reply, lookups.states(req.params.code, req.query)))
    scope.get('/time-zones', { schema: operations.listTimeZones, config: PUBLIC }, (req, reply) => kept(req, reply, lookups.timeZones(req.query)))
    scope.get('/currencies', { schema: operations.listCurrencies, config: PUBLIC }, (req, reply) => kept(req, reply, lookups.currencies(req.query)))
    scope.get('/languages', { schema: operations.listLanguages, config: PUBLIC }, (req, reply) => kept(req, reply, lookups.languages(req.query)))
    scope.get('/industries', { schema: operations.listIndustries, config: PUBLIC }, (req, reply) => kept(req, reply, lookups.industries(req.query)))
  }

  async function member (scope: typeof app) {
    scope.get('/currencies/rates', { schema: operations.getRates, config: READ }, async req => ({ data: await shared.rates.rates(req.query.base ?? 'USD', req.query.symbols) }))
    scope.post('/currencies/convert', { schema: operations.convertMoney, config: ASK }, async req => ({ data: await shared.rates.convert(req.body.items, req.body.to) }))
    scope.post('/phone/parse', { schema: operations.parsePhone, config: ASK }, async req => ({ data: { numbers: parsePhones(req.body.numbers, req.body.country) } }))
  }
}

/** With a tag of the content, so that a copy that is still right is not sent again. */
function kept<T> (req: FastifyRequest, reply: FastifyReply, data: T): never {
  const etag = `"${createHash('sha256').update(JSON.stringify(data)).digest('base64url').slice(0, 27)}"`
  reply.header('cache-control', 'public, max-age=86400').header('etag', etag)
  if (req.headers['if-none-match']?.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag) === true) return reply.code(304).send() as never
  return reply.send({ data }) as never
}
