import { LRUCache } from 'lru-cache'
import { Pool, buildConnector } from 'undici'
import { isPublicAddress } from './addresses.js'
import { TargetError } from './errors.js'
import type { Target } from './target.js'

/** Opens a socket to `hostname`, which is always an address here. */
export type Dial = buildConnector.connector

type Options = {
  connectMs: number
  firstByteMs: number
  idleMs: number
  maxHeaderBytes: number
  /** replaces the real connect, in tests */
  dial?: Dial
}

const MAX_POOLS = 200

/**
 * Keep-alive sockets, kept apart by host and by the addresses that were checked for it: a socket is used again
 * only when the name still leads to the same addresses. Every new socket is checked once more as it connects.
 */
export function createPinnedPools (options: Options) {
  const dial = options.dial ?? buildConnector({ timeout: options.connectMs, allowH2: false })
  const pools = new LRUCache<string, Pool>({
    max: MAX_POOLS,
    dispose: pool => { pool.close().catch(() => {}) }
  })

  return {
    for (target: Target, addresses: readonly string[]): Pool {
      const key = `${target.url.origin}|${addresses.join(',')}`
      let pool = pools.get(key)
      if (pool === undefined) {
        pool = new Pool(target.url.origin, {
          connections: 10,
          pipelining: 1,
          keepAliveTimeout: 4_000,
          keepAliveMaxTimeout: 10_000,
          headersTimeout: options.firstByteMs,
          bodyTimeout: options.idleMs,
          maxHeaderSize: options.maxHeaderBytes,
          connect: pinned(dial, addresses, target.exempt)
        })
        pools.set(key, pool)
      }
      return pool
    },
    async close () {
      const open = [...pools.values()]
      pools.clear()
      await Promise.all(open.map(pool => pool.destroy()))
    }
  }
}

/** Connects to the first of the checked addresses that answers, and to nothing else. */
function pinned (dial: Dial, addresses: readonly string[], exempt: boolean): Dial {
  return (options, callback) => {
    attempt(0, new Error('no address'))

    function attempt (index: number, last: Error) {
      const address = addresses[index]
      if (address === undefined) { callback(last, null); return }
      if (!exempt && !isPublicAddress(address)) { callback(TargetError.TARGET_NOT_ALLOWED().because(`address ${address}`), null); return }
      dial({ ...options, hostname: address }, (...[error, socket]) => {
        if (error !== null) { attempt(index + 1, error); return }
        callback(null, socket)
      })
    }
  }
}
