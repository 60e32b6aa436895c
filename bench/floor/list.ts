import { listFilter, NEWEST_FIRST, paginationOf, PROJECTION, toWire } from '../link.js'
import { answer, answerGuarded, JSON_TYPE, links, newRequestId, serve, verify } from './kit.js'

const LIMIT = 'limit='
const CURSOR = '&cursor='
const PREFIX = `/v1/url?${LIMIT}`
const SHORT_URL = process.env.SHORT_URL ?? ''
const collection = await links()

async function list (url: string, authorization: string | undefined) {
  const claims = verify(authorization)
  if (claims === undefined) return undefined
  const [size = '', cursor] = url.slice(PREFIX.length).split(CURSOR)
  const limit = Number(size)
  const filter = listFilter(claims.accountId, cursor)
  const found = await collection.find(filter, { projection: PROJECTION, sort: NEWEST_FIRST, limit: limit + 1 }).toArray()
  // the page says how many there are, a cursor does not
  const total = cursor === undefined ? await collection.countDocuments(filter) : undefined
  return { data: found.slice(0, limit).map(row => toWire(row, SHORT_URL)), pagination: paginationOf(found, limit, total) }
}

serve((request, response) => {
  const requestId = newRequestId()
  const url = request.url ?? ''
  if (!url.startsWith(PREFIX)) return answer(response, url === '/status' ? 200 : 404, requestId, JSON_TYPE, '{}')
  list(url, request.headers.authorization).then(page => {
    if (page === undefined) return answer(response, 401, requestId, JSON_TYPE, '{}')
    answerGuarded(response, requestId, page)
  }).catch(() => answer(response, 500, requestId, JSON_TYPE, '{}'))
})
