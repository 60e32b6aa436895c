import { readFile, writeFile } from 'node:fs/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../src/app.js'
import { loadConfig } from '../src/config.js'

/**
 * Writes openapi.json from the routes (`write`), or compares it with what the routes say (`check`).
 * The document is the same on every machine: no address but the example's, and the database behind it stays empty.
 */
const FILE = 'openapi.json'

async function generate (): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'openapi-'))
  const config = loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', PUBLIC_URL: 'http://localhost:5002', DATA_DIR: dir, PROCESS_ROLE: 'web', ...(process.env.MONGO_DB_URL && { MONGO_DB_URL: process.env.MONGO_DB_URL }) })
  const app = await buildApp(config)
  await app.ready()
  const text = JSON.stringify(app.swagger(), null, 2) + '\n'
  await app.close()
  await rm(dir, { recursive: true, force: true })
  return text
}

const text = await generate()
if (process.argv[2] === 'write') {
  await writeFile(FILE, text)
} else if (text !== await readFile(FILE, 'utf8').catch(() => '')) {
  process.stderr.write('openapi.json differs from the routes: npm run openapi\n')
  process.exit(1)
}
process.exit(0)
