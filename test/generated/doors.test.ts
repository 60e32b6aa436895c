import t from 'tap'
import { MISSING, build, stable } from '../helper.js'
import { fill, isMutating, isOpen, routesOf, sampleBody, takesId, type Listed } from '../routes.js'

/** What a caller must never set by a body (proofs.md 1, mass assignment). */
const PROTECTED = ['account_id', 'role', 'permissions', 'balance', 'status', 'is_admin', 'created_by', 'stripe_id', '_id', '__proto__'] as const

t.test('the doors of every route', async t => {
  const app = await build(t)
  const one = await app.seed()
  const two = await app.seed()
  const routes = routesOf(app)
  const name = ({ method, url }: Listed) => `${method} ${url}`
  const call = (route: Listed, { id = MISSING, headers = {}, body = sampleBody(route.schema.body) }: { id?: string, headers?: Record<string, string>, body?: unknown } = {}) => app.inject({
    method: route.method as 'GET', url: fill(route, id), headers: { ...headers, 'x-forwarded-for': '203.0.113.9' }, ...(isMutating(route) || route.method !== 'GET' ? { payload: body as object ?? {} } : {})
  })

  t.test('without a token every route that is not public answers 401', async t => {
    for (const route of routes.filter(route => !isOpen(route))) {
      const res = await call(route)
      t.match(res.json(), { success: false, errno: res.statusCode === 429 ? 429 : 401 }, name(route))
      t.ok(res.statusCode === 401 || res.statusCode === 429, name(route))
    }
  })

  t.test('with a read-only token every changing route answers 403', async t => {
    const reader = one.as({ permissions: ['read'] })
    for (const route of routes.filter(route => !isOpen(route) && isMutating(route))) {
      const res = await call(route, { headers: reader })
      t.match(res.json(), { errno: 403, data: { code: 'PERMISSION_DENIED' } }, name(route))
    }
  })

  t.test('an owner without staff rights is refused on the platform\'s routes', async t => {
    for (const route of routes.filter(({ config }) => config.access === 'superAdmin')) {
      t.equal((await call(route, { headers: one.auth })).statusCode, 403, name(route))
    }
  })

  t.test('another account\'s record answers exactly like a missing one', async t => {
    for (const { collection, id } of await app.ownRecords(one)) {
      for (const route of routes.filter(route => !isOpen(route) && takesId(route) && usesCollection(route, collection))) {
        const foreign = await call(route, { id, headers: two.auth })
        const missing = await call(route, { id: MISSING, headers: two.auth })
        t.ok(foreign.statusCode >= 400, `${name(route)} refuses`)
        t.strictSame(stable(foreign), stable(missing), name(route))
      }
    }
  })

  t.test('no body sets a protected field that its schema does not name', async t => {
    for (const route of routes.filter(route => !isOpen(route) && route.schema.body?.additionalProperties === false)) {
      // a person of its own per route: together they make more calls than one may in a minute
      const { auth } = await app.seed()
      for (const field of PROTECTED) {
        if (field in (route.schema.body!.properties as object)) continue
        const body = JSON.stringify({ ...sampleBody(route.schema.body) as object }).replace(/}$/, m => `${Object.keys(sampleBody(route.schema.body) as object).length > 0 ? ',' : ''}"${field}":"x"${m}`)
        const res = await app.inject({ method: route.method as 'PUT', url: fill(route, MISSING), headers: { ...auth, 'content-type': 'application/json' }, payload: body })
        t.ok([400, 403].includes(res.statusCode), `${name(route)} refuses ${field} (${res.statusCode})`)
      }
    }
  })

  t.test('an unknown method of a known path answers 405 with Allow', async t => {
    for (const url of new Set(routes.map(route => fill(route, MISSING)))) {
      const res = await app.inject({ method: 'PROPFIND' as 'GET', url })
      t.ok([404, 405].includes(res.statusCode), url)
      if (res.statusCode === 405) t.ok(res.headers.allow, url)
    }
  })
})

function usesCollection ({ schema }: Listed, collection: string): boolean {
  return Object.values(schema.params?.properties ?? {}).some(param => param.ref === collection)
}
