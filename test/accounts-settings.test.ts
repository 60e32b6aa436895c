import t from 'tap'
import { MISSING, build, stable } from './helper.js'

t.test('look and settings of accounts', async t => {
  const app = await build(t)
  const main = await app.seed()
  const child = await app.seed({ parent: main })
  const other = await app.seed()
  const manager = main.as({ permissions: ['read', 'write'] })
  const call = (method: 'GET' | 'PUT', path: string, auth: Record<string, string>, payload?: object) => app.inject({ method, url: `/v1/accounts/${path}`, headers: auth, ...(payload && { payload }) })

  t.test('a child shows the main account\'s look until it has its own', async t => {
    const logo = 'https://files.harbour.test/a.png'
    t.match((await call('PUT', `${main.accountId}/branding`, main.auth, { logo, colors: { primary: '#112233' } })).json(), { data: { logo, inherited: [] } })
    t.match((await call('GET', `${child.accountId}/branding`, child.auth)).json(), { data: { logo, colors: { primary: '#112233' }, inherited: ['colors.primary', 'logo'] } })
    const own = 'https://files.harbour.test/own.png'
    t.equal((await call('PUT', `${child.accountId}/branding`, child.auth, { logo: own })).statusCode, 200)
    await call('PUT', `${main.accountId}/branding`, main.auth, { logo: 'https://files.harbour.test/b.png' })
    t.match((await call('GET', `${child.accountId}/branding`, child.auth)).json(), { data: { logo: own, inherited: ['colors.primary'] } })
    t.match((await call('PUT', `${main.accountId}/branding`, main.auth, { colors: { primary: 'red' } })).json(), { errno: 422, data: { code: 'INVALID_COLOR' } })
  })

  t.test('a locked setting is refused to the child and nothing changes', async t => {
    await call('PUT', `${main.accountId}/settings`, main.auth, { security: { session_idle_hours: 8 }, locked: ['security'] })
    t.match((await call('PUT', `${child.accountId}/settings`, child.auth, { security: { session_idle_hours: 24 } })).json(), { errno: 403, data: { code: 'SETTING_LOCKED' } })
    const read = (await call('GET', `${child.accountId}/settings`, child.auth)).json<{ data: { inherited: string[] } }>()
    t.match(read, { data: { effective: { security: { session_idle_hours: 8 }, sso: { parent_access: true } } } })
    t.ok(read.data.inherited.includes('security.session_idle_hours'))
    t.equal((await call('PUT', `${child.accountId}/settings`, main.auth, { security: { session_idle_hours: 12 } })).statusCode, 200)
  })

  t.test('a project manager changes nothing here, a stranger meets the 404 of a missing account', async t => {
    for (const what of ['branding', 'settings']) {
      t.equal((await call('PUT', `${main.accountId}/${what}`, manager, what === 'branding' ? { logo: null } : { sso: { parent_access: false } })).statusCode, 403)
      t.strictSame(stable(await call('GET', `${child.accountId}/${what}`, other.auth)), stable(await call('GET', `${MISSING}/${what}`, other.auth)))
    }
  })

  t.test('the people in charge are the main account\'s', async t => {
    t.match((await call('GET', 'poc', child.auth)).json(), { data: { account_name: 'Seeded', people: [{ id: main.userId, role: 'owner' }] } })
  })
})
