import { Types } from 'mongoose'
import type { GrantModel, GrantRow } from '../../models/auth.js'
import type { AppRow } from '../../models/oauth.js'
import type { AuthorizeQuery, SigninForm } from '../../schemas/oauth-protocol.js'
import { hashToken } from '../auth/tokens.js'
import type { Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import type { Clients } from './clients.js'
import type { ConnectionsService } from './connections.js'
import { OauthError } from './errors.js'
import type { Challenge, Choice, Identity, Proven } from './identity.js'
import { isChallenge } from './pkce.js'
import { formTarget, isRegistered, withParameters } from './redirects.js'
import { holds, parseScope, titleOf, within } from './scopes.js'
import type { Caller, CodeData, TokensService } from './tokens.js'

type Deps = { platform: Platform, grants: GrantModel, clients: Clients, connections: ConnectionsService, identity: Identity, person: TokensService['person'], issuer: string }

const TTL = 10 * 60_000
const CODE_TTL = 60_000

/** What a transaction of the screens remembers; kept with a grant that the browser's cookie opens. */
type Data = {
  client_id: string,
  redirect_uri: string,
  scope: string[],
  state: string | null,
  code_challenge: string,
  prompt: string[],
  login_hint: string | null,
  form_token: string
  mfa_token: string | null,
  identifier: string | null,
  home_account: string | null,
  granted: string[] | null
}
type Flow = { grant: GrantRow, data: Data, app: AppRow }

type Shown = { screen: 'signin' | 'accounts' | 'scopes', form_token: string, app: { name: string, logo: string | null }, form_target: string } & Record<string, unknown>
export type Outcome =
  | { kind: 'screen', state: Shown, cookie?: string, signedIn?: SignedIn }
  | { kind: 'redirect', to: string, done: boolean, cookie?: string, signedIn?: SignedIn }
export type SignedIn = { secret: string, expires: Date }
/** Cookies of the browser: the transaction's, and that of a live login. */
export type Browser = { transaction: string | undefined, session: string | undefined }

export function createAuthorizeService ({ platform, grants, clients, connections, identity, person, issuer }: Deps) {
  const { clock, ids, transactions } = platform

  // ---------------------------------------------------------------- beginning

  /** Faults that the app may be told go to its redirect URI; an unknown app or address never gets a redirect. @throws INVALID_REQUEST, INVALID_CLIENT */
  async function begin (query: AuthorizeQuery, browser: Browser, caller: Caller): Promise<Outcome> {
    const app = await clients.find(query.client_id)
    if (app === null) throw OauthError.INVALID_REQUEST('the app is not known')
    const uri = query.redirect_uri
    if (uri === undefined || !isRegistered(uri, app.redirect_uris, app.type)) throw OauthError.INVALID_REQUEST('the redirect address is not registered for this app')
    const state = query.state ?? null
    const refuse = (error: string, why: string): Outcome => ({ kind: 'redirect', done: true, to: withParameters(uri, { error, error_description: why, state: state ?? undefined, iss: issuer }) })
    if (query.response_type !== 'code') return refuse('unsupported_response_type', 'response_type must be code')
    if (query.code_challenge_method !== 'S256' || !isChallenge(query.code_challenge)) return refuse('invalid_request', 'PKCE with code_challenge_method S256 is required')
    const asked = query.scope === undefined || query.scope.trim() === '' ? app.scopes : parseScope(query.scope)
    const scope = asked === null ? [] : narrow(asked, app.scopes)
    if (scope.length === 0) return refuse('invalid_scope', 'no scope that this app may ask for')
    const prompt = (query.prompt ?? '').split(' ').filter(word => word !== '')
    const data: Data = {
      client_id: app._id,
      redirect_uri: uri,
      scope,
      state,
      code_challenge: query.code_challenge,
      prompt,
      login_hint: query.login_hint ?? null,
      form_token: ids.token(24),
      mfa_token: null,
      identifier: null,
      home_account: null,
      granted: null
    }
    const live = prompt.includes('login') ? null : await identity.session(browser.session)
    const { secret, grant } = await open(data, live)
    return { ...await next({ grant, data, app }, caller), cookie: secret }
  }

  /** What was asked, cut to what the app registered. */
  const narrow = (asked: string[], registered: string[]): string[] => [...new Set([
    ...asked.filter(name => within([name], registered)), ...registered.filter(name => within([name], asked))
  ])]

  async function open (data: Data, live: { userId: string, accountId: string } | null): Promise<{ secret: string, grant: GrantRow }> {
    const secret = ids.token(32)
    const now = clock.now()
    const grant = {
      _id: ids.objectId(),
      kind: 'authorize' as const,
      hash: hashToken(secret),
      user_id: live === null ? null : new Types.ObjectId(live.userId),
      account_id: null,
      data: { ...data, home_account: live?.accountId ?? null },
      tries: 0,
      used_at: null,
      expires_at: new Date(now.getTime() + TTL),
      created_at: now
    }
    data.home_account = live?.accountId ?? null
    await grants.create([grant as never])
    return { secret, grant: grant as unknown as GrantRow }
  }

  // ---------------------------------------------------------------- going on

  /** The browser's transaction; with `form`, only for a form that we made for it. @throws FORM_EXPIRED */
  async function resume (browser: Browser, form?: string | null): Promise<Flow> {
    const grant = browser.transaction === undefined
      ? null
      : await grants.findOne({ hash: hashToken(browser.transaction), kind: 'authorize', used_at: null, expires_at: { $gt: clock.now() } }).lean() as GrantRow | null
    if (grant === null) throw OauthError.FORM_EXPIRED()
    const data = grant.data as Data
    if (form !== undefined && (form === null || hashToken(form) !== hashToken(data.form_token))) throw OauthError.FORM_EXPIRED()
    const app = await clients.find(data.client_id)
    if (app === null) throw OauthError.FORM_EXPIRED()
    return { grant, data, app }
  }

  async function keep (flow: Flow, change: Partial<Data>, who: { user_id?: Types.ObjectId, account_id?: Types.ObjectId } = {}): Promise<Flow> {
    const set = { ...who, ...Object.fromEntries(Object.entries(change).map(([key, value]) => [`data.${key}`, value])) }
    await grants.updateOne({ _id: flow.grant._id }, { $set: set } as never)
    return { ...flow, grant: { ...flow.grant, ...who }, data: { ...flow.data, ...change } }
  }

  async function signin (form: SigninForm, browser: Browser, caller: Caller): Promise<Outcome> {
    const flow = await resume(browser, form.form_token ?? null)
    const proven = await prove(flow, form, caller)
    if ('outcome' in proven) return proven.outcome
    if (proven.kind === 'mfa') return show(await keep(flow, { mfa_token: proven.token, identifier: form.identifier ?? null }), 'signin', { step: 'code' })
    const known = await keep(flow, { mfa_token: null, home_account: proven.accountId }, { user_id: new Types.ObjectId(proven.userId) })
    return { ...await next(known, caller), signedIn: { secret: proven.secret, expires: proven.expires } }
  }

  /** A refusal of the login is said on the screen itself. */
  async function prove (flow: Flow, form: SigninForm, caller: Caller): Promise<Proven | Challenge | { outcome: Outcome }> {
    const second = flow.data.mfa_token !== null && form.code !== undefined
    try {
      return second ? await identity.answerMfa(flow.data.mfa_token!, form.code!, caller) : await identity.signIn(form.identifier ?? '', form.password ?? '', caller)
    } catch (error) {
      const { status, message } = error as { status?: number, message: string }
      if (status === undefined || status >= 500 || status === 429) throw error
      return { outcome: show(flow, 'signin', { step: second ? 'code' : 'password', message, identifier: form.identifier ?? null }) }
    }
  }

  /** The step that is missing. */
  async function next (flow: Flow, caller: Caller): Promise<Outcome> {
    const { grant, app } = flow
    if (grant.user_id === null) return show(flow, 'signin', { step: 'password', identifier: flow.data.login_hint })
    if (grant.account_id === null) return chooseAccount(flow, caller)
    return consentOrSkip(flow, app, caller)
  }

  async function chooseAccount (flow: Flow, caller: Caller): Promise<Outcome> {
    const choices = await offered(flow)
    if (choices.length === 0) throw OauthError.ACCESS_DENIED()
    if (choices.length > 1) return show(flow, 'accounts', { accounts: choices.map(({ accountId, name, main }) => ({ account_id: accountId, name, main })) })
    return select(flow, choices[0]!, caller)
  }

  /** An app in development is only for the account tree that owns it. */
  async function offered ({ grant, data, app }: Flow): Promise<Choice[]> {
    const all = await identity.accounts(grant.user_id!.toHexString(), data.home_account)
    const owner = app.account_id.toHexString()
    return app.active ? all : all.filter(({ accountId, parent }) => accountId === owner || parent === owner)
  }

  async function select (flow: Flow, choice: Choice, caller: Caller): Promise<Outcome> {
    const chosen = await keep(flow, {}, { user_id: new Types.ObjectId(choice.userId), account_id: new Types.ObjectId(choice.accountId) })
    return consentOrSkip(chosen, chosen.app, caller)
  }

  async function accounts (browser: Browser, caller: Caller): Promise<Outcome> {
    const flow = await resume(browser)
    return flow.grant.user_id === null ? next(flow, caller) : chooseAccount(flow, caller)
  }

  /** @throws ACCESS_DENIED for an account that was not offered */
  async function selectAccount (form: { form_token?: string, account_id?: string }, browser: Browser, caller: Caller): Promise<Outcome> {
    const flow = await resume(browser, form.form_token ?? null)
    if (flow.grant.user_id === null) return next(flow, caller)
    const choice = (await offered(flow)).find(({ accountId }) => accountId === form.account_id)
    if (choice === undefined) throw OauthError.ACCESS_DENIED()
    return select(flow, choice, caller)
  }

  /** What the app asks for and the person holds in this account. */
  async function available ({ grant, data }: Flow, caller: Caller): Promise<{ scope: string[], actor: Actor }> {
    const actor = await person(grant.user_id!.toHexString(), grant.account_id!.toHexString(), caller.requestId)
    return { scope: data.scope.filter(name => holds(actor.can, name)), actor }
  }

  async function consentOrSkip (flow: Flow, app: AppRow, caller: Caller): Promise<Outcome> {
    const { scope } = await available(flow, caller)
    if (scope.length === 0) return refused(flow, 'invalid_scope')
    const given = await connections.find(flow.grant.account_id!, flow.grant.user_id!, app._id)
    const known = given !== null && within(scope, given.scopes)
    if (app.first_party || (known && !flow.data.prompt.includes('consent'))) return granted(flow, scope)
    const who = await identity.describe(flow.grant.user_id!.toHexString(), flow.grant.account_id!.toHexString())
    return show(flow, 'scopes', { ...who, scopes: scope.map(name => ({ name, title: titleOf(name) })) })
  }

  async function consent (form: { form_token?: string, decision?: string, scopes?: string | string[] }, browser: Browser, caller: Caller): Promise<Outcome> {
    const flow = await resume(browser, form.form_token ?? null)
    if (flow.grant.user_id === null || flow.grant.account_id === null) return next(flow, caller)
    const { scope } = await available(flow, caller)
    const chosen = [form.scopes ?? []].flat().filter(name => scope.includes(name))
    return form.decision === 'allow' && chosen.length > 0 ? granted(flow, chosen) : refused(flow, 'access_denied')
  }

  async function granted (flow: Flow, scope: string[]): Promise<Outcome> {
    await keep(flow, { granted: scope })
    return { kind: 'redirect', to: 'loading', done: false }
  }

  async function refused ({ grant, data }: Flow, error: string): Promise<Outcome> {
    await grants.updateOne({ _id: grant._id }, { $set: { used_at: clock.now() } })
    return { kind: 'redirect', done: true, to: withParameters(data.redirect_uri, { error, state: data.state ?? undefined, iss: issuer }) }
  }

  /** Ends the transaction with a code. */
  async function loading (browser: Browser, caller: Caller): Promise<Outcome> {
    const flow = await resume(browser)
    const { grant, data } = flow
    if (data.granted === null || grant.account_id === null || grant.user_id === null) return next(flow, caller)
    const code = ids.token(32)
    const home = await identity.homeOf(grant.user_id.toHexString())
    const carried: CodeData = {
      client_id: data.client_id,
      redirect_uri: data.redirect_uri,
      code_challenge: data.code_challenge,
      scope: data.granted,
      via_account: home === grant.account_id.toHexString() ? null : home
    }
    await transactions.run(async tx => {
      const now = clock.now()
      const { modifiedCount } = await grants.updateOne({ _id: grant._id, used_at: null }, { $set: { used_at: now } }, { session: tx })
      if (modifiedCount !== 1) throw OauthError.FORM_EXPIRED()
      await grants.create([{
        _id: ids.objectId(),
        kind: 'authorization_code',
        hash: hashToken(code),
        user_id: grant.user_id,
        account_id: grant.account_id,
        data: carried,
        tries: 0,
        used_at: null,
        expires_at: new Date(now.getTime() + CODE_TTL),
        created_at: now
      }] as never, { session: tx })
    })
    return { kind: 'redirect', done: true, to: withParameters(data.redirect_uri, { code, state: data.state ?? undefined, iss: issuer }) }
  }

  const show = ({ data, app }: Flow, screen: Shown['screen'], more: Record<string, unknown>): Outcome => ({
    kind: 'screen', state: { ...more, screen, form_token: data.form_token, app: { name: app.name, logo: app.logo }, form_target: formTarget(data.redirect_uri) }
  })

  return { begin, signin, accounts, selectAccount, consent, loading }
}
export type AuthorizeService = ReturnType<typeof createAuthorizeService>
