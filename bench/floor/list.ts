import { FILTER, NEWEST_FIRST, PROJECTION, toWire } from '../link.js'
import { answer, JSON_TYPE, links, meta, newRequestId, ObjectId, serve, verify } from './kit.js'

const PREFIX = '/v1/url?limit='
const SHORT_URL = process.env.SHORT_URL ?? ''
const collection = await links()

async function list (url: string, authorization: string | undefined) {
  const claims = verify(authorization)
  if (claims === undefined) return undefined
  const limit = Number(url.slice(PREFIX.length))
  const filter = { account_id: new ObjectId(claims.accountId), ...FILTER }
  return collection.find(filter, { projection: PROJECTION, sort: NEWEST_FIRST, limit: limit + 1 }).toArray()
}

serve((request, response) => {
  const requestId = newRequestId()
  const url = request.url ?? ''
  if (!url.startsWith(PREFIX)) return answer(response, url === '/status' ? 200 : 404, requestId, JSON_TYPE, '{}')
  list(url, request.headers.authorization).then(rows => {
    if (rows === undefined) return answer(response, 401, requestId, JSON_TYPE, '{}')
    const body = JSON.stringify({ success: true, data: rows.slice(0, 20).map(row => toWire(row, SHORT_URL)), meta: meta(requestId) })
    answer(response, 200, requestId, JSON_TYPE, body, true)
  }).catch(() => answer(response, 500, requestId, JSON_TYPE, '{}'))
})
