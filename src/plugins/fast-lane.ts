import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'

/** Answers a request before the framework sees it, or says that it does not. */
export type Lane = (req: IncomingMessage, res: ServerResponse) => boolean

type Limits = { requestTimeout: number, keepAliveTimeout: number, connectionTimeout: number }

/**
 * The server with a lane beside Fastify for the two things that must cost next to nothing and answer in the middle of any overload: probes, and redirects
 * of links that are in memory. Both are routes of Fastify as well, which give the same answers and take all that the lane lets pass.
 */
export function createFastLane (limits: Limits) {
  const lanes: Lane[] = []

  const serverFactory = (handler: RequestListener): Server => {
    const server = createServer((req, res) => {
      if (req.method === 'GET') {
        for (const lane of lanes) if (lane(req, res)) return
      }
      handler(req, res)
    })
    server.requestTimeout = limits.requestTimeout
    server.keepAliveTimeout = limits.keepAliveTimeout
    server.timeout = limits.connectionTimeout
    return server
  }

  return { serverFactory, add (lane: Lane): void { lanes.push(lane) } }
}
export type FastLane = ReturnType<typeof createFastLane>

const OK = '{"status":"ok"}'
const PROBES = new Set(['/', '/status'])

/** `GET /` and `GET /status`. */
export const probeLane = (headers: (req: IncomingMessage) => readonly string[]): Lane => (req, res) => {
  if (!PROBES.has(req.url!)) return false
  res.writeHead(200, [...headers(req), 'content-type', 'application/json; charset=utf-8', 'content-length', '15'])
  res.end(OK)
  return true
}
