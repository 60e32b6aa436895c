import type { FastifyReply, FastifyRequest } from 'fastify'

const NAME = 'sid_dc_sw'
const REMEMBERED_S = 90 * 86_400
const RULES = 'Path=/; HttpOnly; Secure; SameSite=Lax'

export const setSessionCookie = (reply: FastifyReply, sessionId: string, remember: boolean): void => {
  reply.header('set-cookie', `${NAME}=${sessionId}; ${RULES}${remember ? `; Max-Age=${REMEMBERED_S}` : ''}`)
}
export const clearSessionCookie = (reply: FastifyReply): void => { reply.header('set-cookie', `${NAME}=; ${RULES}; Max-Age=0`) }

/** The header wins over the cookie. */
export function sessionIdOf (req: FastifyRequest): string | undefined {
  const header = req.headers['x-session-id']
  if (typeof header === 'string') return header.slice(0, 200)
  return req.headers.cookie?.split(';').map(part => part.trim()).find(part => part.startsWith(`${NAME}=`))?.slice(NAME.length + 1, NAME.length + 201)
}
