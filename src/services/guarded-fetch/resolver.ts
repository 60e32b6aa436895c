import { promises as dns } from 'node:dns'

/** All addresses, IPv4 and IPv6, of a name; throws when it has none. */
export type Resolver = (name: string, signal: AbortSignal) => Promise<readonly string[]>

/**
 * Asks the name servers directly: the system's resolver would hold a thread of the pool for as long as a hostile
 * name server is silent.
 * @param timeoutMs of one question
 * @param servers `address:port` of name servers; default: those of the system
 */
export const createDnsResolver = (timeoutMs: number, servers?: readonly string[]): Resolver => async (name, signal) => {
  const resolver = new dns.Resolver({ timeout: timeoutMs, tries: 1 })
  if (servers !== undefined) resolver.setServers(servers)
  const stop = () => { resolver.cancel() }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    const found = answers.flatMap(answer => answer.status === 'fulfilled' ? answer.value : [])
    const failed = answers.find(answer => answer.status === 'rejected')
    if (found.length === 0) throw failed?.reason ?? new Error('no address')
    return found
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
