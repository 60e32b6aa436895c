import t from 'tap'
import { build } from '../helper.js'
import { routesOf } from '../routes.js'
import { EVENT_TYPES } from '../../src/schemas/events.js'
import { SCOPES } from '../../src/schemas/scopes.js'

t.test('the contract', async t => {
  const app = await build(t)
  const routes = routesOf(app)
  const document = app.swagger() as unknown as { openapi: string, paths: Record<string, Record<string, { operationId?: string, security?: unknown[] }>>, components: { schemas: Record<string, unknown> } }

  t.test('every schema of every route compiles', async t => {
    t.ok(app.compileAll() > 0)
  })

  t.test('the document has exactly the routes of the service', async t => {
    const listed = routes.map(({ method, url }) => `${method} ${url.replace(/:([A-Za-z_]+)/g, '{$1}').replace(/(.)\/$/, '$1')}`).sort()
    const published = Object.entries(document.paths).flatMap(([path, item]) => Object.keys(item).map(method => `${method.toUpperCase()} ${path.replace(/(.)\/$/, '$1')}`))
      .filter(entry => entry !== 'GET /documentation').sort()
    t.strictSame(published, listed)
  })

  t.test('operation ids are there and unique', async t => {
    const ids = routes.map(({ schema }) => schema.operationId)
    t.notOk(ids.includes(undefined as never))
    t.equal(new Set(ids).size, ids.length)
  })

  t.test('protected operations say how to sign in, public ones do not', async t => {
    for (const { method, url, config } of routes) {
      const path = Object.keys(document.paths).find(path => path.replace(/\/$/, '') === url.replace(/:([A-Za-z_]+)/g, '{$1}').replace(/\/$/, ''))
      const operation = document.paths[path ?? '/']?.[method.toLowerCase()]
      t.equal(operation?.security?.length === 1, config.access !== 'public' && config.access !== 'signature', `${method} ${url}`)
    }
  })

  t.test('nothing that only this service understands is published', async t => {
    const text = JSON.stringify(document)
    t.notMatch(text, /"component":/)
    t.notMatch(text, /"ref":"/)
    t.notMatch(text, /"nullable":/)
    t.notMatch(text, /def-\d/)
  })

  t.test('catalogues hold no name twice and no event without its module', async t => {
    t.ok(EVENT_TYPES.size > 300)
    t.ok(SCOPES.size > 200)
    for (const { type } of EVENT_TYPES.values()) t.match(type, /^[a-z_]+\.[a-z_]+$/)
  })
})
