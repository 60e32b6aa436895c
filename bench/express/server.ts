// The stack that the service replaces, written as such services usually are.
import express, { type Request, type Response } from 'express'
import Joi from 'joi'
import mongoose from 'mongoose'
import { accessLog, HttpError, onError, requestId, securityHeaders, validate, validateLimit, verifyAccessAndStatus, verifyAuthorization, wrap } from './middleware.js'
import { Click, Link } from './models.js'
import { listFilter } from '../link.js'
import { envelope, page, toJson } from './wire.js'

const { PORT = '0', MONGO_URL = '', POOL = '50' } = process.env

await mongoose.connect(MONGO_URL, { maxPoolSize: Number(POOL), autoIndex: false })

const objectId = Joi.string().hex().length(24).required()
const listQuery = Joi.object({
  page: Joi.number().integer().min(1).default(1),
  limit: Joi.number().integer().min(1).max(100).default(20),
  sort: Joi.string().valid('created_at', '-created_at', 'visits', '-visits').default('-created_at'),
  cursor: Joi.string().max(500),
  q: Joi.string().min(2).max(100)
})
interface ListQuery { page: number, limit: number, cursor?: string }

const url = express.Router()
url.use(verifyAuthorization, verifyAccessAndStatus, validateLimit)

url.get('/', validate('query', listQuery), wrap(async (req: Request, res: Response) => {
  const { page: number, limit, cursor } = req.query as unknown as ListQuery
  const filter = listFilter(req.claims?.accountId ?? '', cursor)
  const [found, total] = await Promise.all([
    Link.find(filter).sort({ created_at: -1, _id: -1 }).skip((number - 1) * limit).limit(limit + 1),
    cursor === undefined ? Link.countDocuments(filter) : undefined
  ])
  res.json(page(req, found, limit, total))
}))

url.get('/:id', validate('params', Joi.object({ id: objectId })), wrap(async (req: Request, res: Response) => {
  const link = await Link.findOne({ _id: req.params.id, account_id: req.claims?.accountId })
  if (link === null) throw new HttpError(404, 'Link not found.')
  res.json(envelope(req, toJson(link)))
}))

type Cached = { _id: mongoose.Types.ObjectId, account_id: mongoose.Types.ObjectId, url: string }
const cache = new Map<string, Cached>()

async function linkOf (code: string): Promise<Cached> {
  const cached = cache.get(code)
  if (cached !== undefined) return cached
  const link = await Link.findOne({ code, domain_id: null, archived_at: null, active: true })
  if (link === null) throw new HttpError(404, 'Link not found.')
  const entry = { _id: link._id, account_id: link.account_id, url: link.url }
  cache.set(code, entry)
  return entry
}

const redirect = wrap(async (req: Request, res: Response) => {
  const link = await linkOf(req.params.code ?? '')
  Click.create({
    link_id: link._id, account_id: link.account_id, user_agent: req.get('user-agent'), referrer: req.get('referer'), language: req.get('accept-language')
  }).catch(error => console.error(error))
  res.set('Cache-Control', 'no-store')
  res.set('X-Robots-Tag', 'noindex')
  res.set('Location', link.url)
  res.status(302).end()
})

const app = express()
app.disable('x-powered-by')
app.use(requestId)
app.use(accessLog)
app.use(securityHeaders)
app.use(express.json())
app.get('/status', (_req, res) => { res.json({ status: 'ok' }) })
app.use('/v1/url', url)
app.get('/:code', validate('params', Joi.object({ code: Joi.string().pattern(/^[A-Za-z0-9_-]{1,64}$/).required() })), redirect)
app.use((_req, _res, next) => next(new HttpError(404, 'Not found.')))
app.use(onError)

const server = app.listen(Number(PORT), '127.0.0.1')
server.keepAliveTimeout = 72_000
