import { answer, JSON_TYPE, links, newRequestId, serve } from './kit.js'

const collection = await links()
const targets = new Map<string, string>()
for await (const { code, url } of collection.find({ domain_id: null }, { projection: { code: 1, url: 1 } })) targets.set(`/${code}`, url)

const HEADERS = ['Cache-Control', 'no-store', 'Referrer-Policy', 'no-referrer-when-downgrade', 'X-Robots-Tag', 'noindex', 'Location'] as const

serve((request, response) => {
  if (request.url === '/status') return answer(response, 200, newRequestId(), JSON_TYPE, '{"status":"ok"}')
  const url = targets.get(request.url ?? '')
  if (url === undefined) answer(response, 404, newRequestId(), JSON_TYPE, '{}')
  else answer(response, 302, newRequestId(), [...HEADERS, url], '')
})
