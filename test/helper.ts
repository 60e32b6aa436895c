import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { Types } from 'mongoose'
import { buildApp, type Overrides } from '../src/app.js'
import { loadConfig } from '../src/config.js'
import { AccountModel } from '../src/models/accounts.js'
import { UserModel } from '../src/models/users.js'
import { ownRecords } from './seeds/index.js'
import { newAccountRow } from '../src/services/accounts/row.js'
import { newUserRow } from '../src/services/users/row.js'

/** An id that nothing has. */
export const MISSING = 'ffffffffffffffffffffffff'
export const JWT_SECRET = 'a secret of the tests, long enough for HS256'

type Role = 'owner' | 'admin' | 'user' | 'client'
type SeedOptions = { parent?: Account, role?: Role, permissions?: string[], scope?: string, staff?: string[], status?: string, password?: string, email?: string }
export type Account = {
  accountId: string,
  userId: string,
  email: string
  /** headers of a caller with the role's rights, as the platform's router signs them */
  auth: Record<string, string>
  /** the same person with other rights in the token */
  as (change: { permissions?: string[], scope?: string, sid?: string, exp?: number }): Record<string, string>
}
export type OwnRecord = { collection: string, id: string }
export type TestApp = FastifyInstance & {
  seed (options?: SeedOptions): Promise<Account>
  /** one record of every kind that a seed is known for, owned by the account */
  ownRecords (account: Account): Promise<OwnRecord[]>
}

type BuildOptions = { env?: Record<string, string>, deps?: Overrides }

function databaseUrl (): string | undefined {
  const url = process.env.MONGO_DB_URL
  if (url === undefined || url === '') return undefined
  const [, server, query = ''] = /^(mongodb(?:\+srv)?:\/\/[^/]+)(?:\/[^?]*)?(\?.*)?$/.exec(url) ?? []
  return `${server}/test_${randomBytes(6).toString('hex')}${query}`
}

/** The app on an empty database of its own: embedded in memory, or one on the server that MONGO_DB_URL names. Closed and removed after the test. */
export async function build (t: Test, { env = {}, deps = {} }: BuildOptions = {}): Promise<TestApp> {
  const dir = mkdtempSync(join(tmpdir(), 'internal-api-'))
  const mongo = databaseUrl()
  const config = loadConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    PORT: '0',
    PUBLIC_URL: 'http://localhost:5002',
    DATA_DIR: dir,
    JWT_SECRET,
    DRAIN_MS: '0',
    PROCESS_ROLE: 'web',
    AUTH_MIN_MS: '0',
    ...(mongo && { MONGO_DB_URL: mongo }),
    ...(process.env.REDIS_URL && { REDIS_URL: process.env.REDIS_URL }),
    ...env
  })
  const app = await buildApp(config, deps)
  await app.ready()
  t.teardown(async () => {
    if (mongo !== undefined) await app.mongo.dropDatabase().catch(() => {})
    await app.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return Object.assign(app, { seed: (options: SeedOptions = {}) => seed(app, options), ownRecords: (account: Account) => ownRecords(app, account) }) as TestApp
}

const PERMISSIONS: Record<Role, string[]> = { owner: ['read', 'write', 'admin'], admin: ['read', 'write', 'admin'], user: ['read', 'write'], client: ['read', 'write'] }

async function seed (app: FastifyInstance, { parent, role = 'owner', permissions, scope, staff, status = 'active', password, email }: SeedOptions): Promise<Account> {
  const { services, mongo } = app
  const { clock } = services.platform
  const now = clock.now()
  const accountId = new Types.ObjectId()
  const userId = new Types.ObjectId()
  const address = email ?? `${userId.toHexString()}@seed.test`
  await AccountModel.on(mongo).create([newAccountRow({
    _id: accountId, parent_account: parent === undefined ? null : new Types.ObjectId(parent.accountId), status: status as 'active', name: 'Seeded', email: address, plan: 'pro', created_at: now
  })])
  await UserModel.on(mongo).create([newUserRow({
    _id: userId,
    account_id: accountId,
    first_name: 'Seed',
    last_name: 'Person',
    email: address,
    role,
    status: 'active',
    created_at: now,
    password_hash: password === undefined ? null : await services.auth.hashPassword(password),
    dashclicks: staff === undefined ? null : { general: true, roles: staff }
  })])
  const claims = { userId: userId.toHexString(), accountId: accountId.toHexString() }
  const base = permissions ?? [...PERMISSIONS[role], ...(staff === undefined ? [] : ['super_admin'])]
  const as: Account['as'] = ({ permissions: other = base, scope: limited = scope, sid, exp } = {}) => ({
    authorization: `Bearer ${app.jwt.sign({ ...claims, permissions: other, ...(limited !== undefined && { scope: limited }), ...(sid !== undefined && { sid }) },
      { expiresIn: exp ?? 3_600 })}`
  })
  return { ...claims, email: address, auth: as({}), as }
}

/** A body without what differs between two answers to the same question. */
export function stable (res: LightMyRequestResponse): unknown {
  const body = res.json() as { meta?: { timestamp?: string, request_id?: string }, data?: { request_id?: string } }
  if (body.meta !== undefined) { delete body.meta.timestamp; delete body.meta.request_id }
  if (body.data !== undefined && body.data !== null) delete body.data.request_id
  return body
}

/**
 * A clock that stands still until it is moved: stories over days run in milliseconds. It begins at the real time, for the database removes what
 * its own clock finds expired.
 */
export function storyClock (start = new Date().toISOString()) {
  let now = Date.parse(start)
  return {
    now: () => new Date(now),
    /** moves forward by milliseconds */
    forward (ms: number) { now += ms },
    set (iso: string) { now = Date.parse(iso) }
  }
}
