import { PROJECTION, toWire } from '../link.js'
import { answer, answerGuarded, JSON_TYPE, links, newRequestId, ObjectId, serve, verify } from './kit.js'

const PREFIX = '/v1/url/'
const SHORT_URL = process.env.SHORT_URL ?? ''
const collection = await links()

async function read (url: string, authorization: string | undefined) {
  const claims = verify(authorization)
  if (claims === undefined) return undefined
  const _id = new ObjectId(url.slice(PREFIX.length))
  return collection.findOne({ account_id: new ObjectId(claims.accountId), _id }, { projection: PROJECTION })
}

serve((request, response) => {
  const requestId = newRequestId()
  const url = request.url ?? ''
  if (!url.startsWith(PREFIX)) return answer(response, url === '/status' ? 200 : 404, requestId, JSON_TYPE, '{}')
  read(url, request.headers.authorization).then(row => {
    if (row === undefined) return answer(response, 401, requestId, JSON_TYPE, '{}')
    if (row === null) return answer(response, 404, requestId, JSON_TYPE, '{}')
    answerGuarded(response, requestId, { data: toWire(row, SHORT_URL) })
  }).catch(() => answer(response, 500, requestId, JSON_TYPE, '{}'))
})
