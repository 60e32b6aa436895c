import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Endpoint } from '../wire/server.js'

/** A socket path may have 107 bytes on Linux and 103 on macOS. */
const MAX_SOCKET_PATH = 100
const SOCKET = 's.sock'

export type Place = { readonly endpoint: Endpoint, readonly remove: () => void }

/** A unix socket in a folder that only the owner may enter: below the data folder, or a temporary one when that path is too long. */
export function socketPlace (dir: string | undefined): Place {
  const wanted = dir === undefined ? undefined : join(dir, 'run')
  if (wanted === undefined || Buffer.byteLength(join(wanted, SOCKET)) > MAX_SOCKET_PATH) {
    // lower case, as drivers write the hosts of a set
    const folder = join(tmpdir(), `embedded-mongo-${randomBytes(8).toString('hex')}`)
    mkdirSync(folder, { mode: 0o700 })
    return { endpoint: { path: join(folder, SOCKET) }, remove: () => rmSync(folder, { recursive: true, force: true }) }
  }
  mkdirSync(wanted, { recursive: true, mode: 0o700 })
  chmodSync(wanted, 0o700)
  const path = join(wanted, SOCKET)
  rmSync(path, { force: true })
  return { endpoint: { path }, remove: () => rmSync(path, { force: true }) }
}

/** The address as `hello` tells it. */
export const addressOf = (endpoint: Endpoint, port: number | undefined): string => 'path' in endpoint ? endpoint.path : `127.0.0.1:${port}`

/** The connect string. */
export const urlOf = (endpoint: Endpoint, address: string, database: string): string =>
  `mongodb://${'path' in endpoint ? encodeURIComponent(address) : address}/${database}?directConnection=true`
