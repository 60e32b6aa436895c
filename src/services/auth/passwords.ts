import { hash, verify } from '@node-rs/argon2'
import { scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { AuthError } from './errors.js'

/** argon2id with 19 MiB, two passes, one lane (OWASP's first choice). */
const ARGON = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const AT_ONCE = 4
const WAITING = 64
const derive = promisify(scrypt) as (password: string, salt: string, length: number) => Promise<Buffer>

export type Passwords = {
  hash (password: string): Promise<string>
  /** Compares with the stored text, or with nothing at the same cost: an unknown user takes as long as a known one. */
  verify (stored: string | null | undefined, password: string): Promise<boolean>
  needsRehash (stored: string): boolean
}

/** @throws LOGIN_BUSY when 64 calls already wait: hashing is bounded in memory and CPU */
export function createPasswords (): Passwords {
  let running = 0
  const queue: (() => void)[] = []
  let dummy: Promise<string> | undefined

  async function slot<T> (work: () => Promise<T>): Promise<T> {
    if (running >= AT_ONCE) {
      if (queue.length >= WAITING) throw AuthError.LOGIN_BUSY().with({ headers: { 'retry-after': '2' } })
      await new Promise<void>(resolve => queue.push(resolve))
    }
    running++
    try {
      return await work()
    } finally {
      running--
      queue.shift()?.()
    }
  }

  async function compare (stored: string, password: string): Promise<boolean> {
    if (stored.startsWith('$argon2')) return verify(stored, password)
    const [salt, key] = stored.split(':')
    if (salt === undefined || key === undefined) return false
    const expected = Buffer.from(key, 'hex')
    return timingSafeEqual(await derive(password, salt, expected.length), expected)
  }

  return {
    hash: password => slot(() => hash(password, ARGON)),
    verify: (stored, password) => slot(async () => {
      if (typeof stored === 'string' && stored !== '') return compare(stored, password)
      dummy ??= hash('nobody has this password', ARGON)
      await compare(await dummy, password)
      return false
    }),
    needsRehash: stored => !stored.startsWith('$argon2id$v=19$m=19456,t=2,p=1$')
  }
}
