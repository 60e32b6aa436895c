import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../config.js'

/** JWT_SECRET; outside production one is made on the first start and kept in DATA_DIR, so that logins survive a restart. */
export async function jwtSecret (config: Config): Promise<string> {
  if (config.JWT_SECRET !== undefined) return config.JWT_SECRET
  const file = join(config.DATA_DIR, 'jwt-secret')
  const known = await readFile(file, 'utf8').catch(() => null)
  if (known !== null && known.length >= 32) return known
  await mkdir(config.DATA_DIR, { recursive: true })
  const made = randomBytes(48).toString('base64url')
  await writeFile(file, made, { mode: 0o600 })
  return made
}
