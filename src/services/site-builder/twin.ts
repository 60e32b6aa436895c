import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { answeredWith } from '../http/index.js'
import { createTwinState } from '../twin-state.js'
import { createTwin, type Twin, type TwinOptions, type TwinPlan } from '../twin.js'
import { translate } from './errors.js'
import { signHook } from './signature.js'
import type { BuilderContent, BuilderSite, BuilderStatus, BuilderSubmission, BuilderTemplate, NewSite, SiteBuilderClient } from './types.js'

export type BuilderTwinOptions = Omit<TwinOptions, 'name'> & {
  /** our own route for hooks; without it they are not sent */
  hooksUrl?: string
  /** how long a site whose name ends in `#slow` takes, milliseconds (default 2 000) */
  slowMs?: number
}

type Kept = {
  site_name: string
  external_uid: string
  template_id: string
  name: string
  lang: string
  status: BuilderStatus
  domain: string | null
  content: BuilderContent
  published: BuilderContent | null
  first_published_at: string | null
  published_at: string | null
  revisions: Array<{ id: string, at: string, content: BuilderContent }>
  submissions: Array<{ form_title: string, fields: Record<string, string>, at: string }>
}
type State = { secret: string, sites: Kept[], templates: BuilderTemplate[] }

const MOST_REVISIONS = 50
const TEMPLATES = ['Corner Shop', 'Good Food', 'Clear Practice', 'Trade Works']
const ADDRESS = 'http://localhost'

/** The builder on this machine. Sites whose name ends in `#slow` take their time, `#500` fail at every call. */
export function createBuilderTwin (options: BuilderTwinOptions): { client: SiteBuilderClient, twin: Twin, secret: string } {
  const base = createTwin({ ...options, name: 'site-builder' })
  const state = createTwinState<State>(join(base.folder, 'state.json'), () => ({ secret: base.id('', 24), sites: [], templates: TEMPLATES.map(newTemplate) }))
  const now = () => options.clock.now().toISOString()

  const missing = (what: string) => answeredWith(404, { upstream: 'site-builder', body: { error_code: 'ResourceNotExist', message: `${what} does not exist` } })

  function find (siteName: string): Kept {
    const site = state.value.sites.find(one => one.site_name === siteName)
    if (site === undefined) throw missing(siteName)
    return site
  }

  /** One call: kept, failing as asked or as the site's name says, saved after. */
  async function act<T> (kind: string, data: unknown, name: () => string, work: (plan: TwinPlan) => T): Promise<T> {
    try {
      return await base.act({ kind, data }, async plan => {
        const shown = name()
        if (shown.endsWith('#500')) throw answeredWith(500, { upstream: 'site-builder', body: { error_code: 'InternalError' } })
        if (shown.endsWith('#slow')) await wait(options.slowMs ?? 2_000)
        const result = work(plan)
        await state.save()
        return result
      })
    } catch (error) {
      throw translate(error)
    }
  }

  const onSite = <T>(kind: string, siteName: string, work: (site: Kept, plan: TwinPlan) => T, data?: object) =>
    act(kind, { siteName, ...data }, () => find(siteName).name, plan => work(find(siteName), plan))

  function add (site: NewSite, content: BuilderContent): Kept {
    const kept: Kept = {
      site_name: base.id('', 4),
      external_uid: site.externalUid,
      template_id: site.templateId,
      name: site.name,
      lang: site.lang ?? 'en',
      status: 'NOT_PUBLISHED_YET',
      domain: null,
      content,
      published: null,
      first_published_at: null,
      published_at: null,
      revisions: [],
      submissions: []
    }
    state.value.sites.push(kept)
    return kept
  }

  function tell (type: 'PUBLISH' | 'UNPUBLISH', site: Kept, plan: TwinPlan) {
    if (options.hooksUrl === undefined) return
    const at = options.clock.now().getTime()
    const body = JSON.stringify({ event_type: type, resource_data: { site_name: site.site_name, external_uid: site.external_uid }, event_timestamp: at })
    const timestamp = String(Math.floor(at / 1_000))
    const headers = { 'content-type': 'application/json', 'x-duda-signature': signHook(body, timestamp, state.value.secret), 'x-duda-signature-timestamp': timestamp }
    for (let i = 0; i < plan.times; i++) base.hook({ url: options.hooksUrl, body, headers })
  }

  function publish (site: Kept, plan: TwinPlan) {
    const revision = { id: base.id('rev-', 6), at: now(), content: structuredClone(site.content) }
    site.revisions = [revision, ...site.revisions].slice(0, MOST_REVISIONS)
    Object.assign(site, { status: 'PUBLISHED', published: revision.content, published_at: now(), first_published_at: site.first_published_at ?? now() })
    tell('PUBLISH', site, plan)
  }

  const client: SiteBuilderClient = {
    createSite: site => act('createSite', site, () => site.name, () => {
      if (!state.value.templates.some(one => one.templateId === site.templateId)) throw missing(`template ${site.templateId}`)
      return { siteName: add(site, { business_data: { name: site.name } }).site_name }
    }),
    findByExternalUid: externalUid => act('findByExternalUid', { externalUid }, () => '', () =>
      state.value.sites.find(one => one.external_uid === externalUid)?.site_name ?? null),
    getSite: siteName => act('getSite', { siteName }, () => state.value.sites.find(one => one.site_name === siteName)?.name ?? '', () => {
      const site = state.value.sites.find(one => one.site_name === siteName)
      return site === undefined ? null : siteOf(site)
    }),
    getContent: siteName => onSite('getContent', siteName, site => structuredClone(site.content)),
    putContent: (siteName, content) => onSite('putContent', siteName, site => { Object.assign(site.content, structuredClone(content)) }, { content }),
    publish: siteName => onSite('publish', siteName, publish),
    unpublish: siteName => onSite('unpublish', siteName, (site, plan) => {
      site.status = 'UNPUBLISHED'
      tell('UNPUBLISH', site, plan)
    }),
    deleteSite: siteName => act('deleteSite', { siteName }, () => '', () => {
      state.value.sites = state.value.sites.filter(one => one.site_name !== siteName)
    }),
    duplicate: (siteName, { externalUid }) => onSite('duplicate', siteName, site => {
      const copy = add({ externalUid, templateId: site.template_id, name: site.name, lang: site.lang }, structuredClone(site.content))
      return { siteName: copy.site_name }
    }, { externalUid }),
    listTemplates: () => act('listTemplates', null, () => '', () => [...state.value.templates]),
    createTemplate: ({ siteName, name }) => onSite('createTemplate', siteName, () => {
      const template = newTemplate(name, state.value.templates.length)
      state.value.templates.push(template)
      return template
    }, { name }),
    stats: siteName => onSite('stats', siteName, site => ({ visitors: 0, visits: 0, pageViews: 0, formSubmissions: site.submissions.length })),
    submissions: (siteName, { from, to }) => onSite('submissions', siteName, site => site.submissions
      .map((one): BuilderSubmission => ({ formTitle: one.form_title, fields: one.fields, at: new Date(one.at) }))
      .filter(one => one.at >= from && one.at <= to)),
    ssoLink: siteName => onSite('ssoLink', siteName, site => ({ url: `${ADDRESS}/editor/${site.site_name}?token=${base.id('', 12)}` })),
    setDomain: (siteName, domain) => onSite('setDomain', siteName, site => { site.domain = domain }, { domain }),
    revisions: siteName => onSite('revisions', siteName, site => site.revisions.map(({ id, at }) => ({ id, at: new Date(at) }))),
    restore: (siteName, revisionId) => onSite('restore', siteName, site => {
      const revision = site.revisions.find(one => one.id === revisionId)
      if (revision === undefined) throw missing(revisionId)
      site.content = structuredClone(revision.content)
    }, { revisionId })
  }
  return { client, twin: base, secret: state.value.secret }
}

const newTemplate = (name: string, index: number): BuilderTemplate => ({
  templateId: String(1_000_001 + index), name, previewUrl: `${ADDRESS}/preview/template-${index + 1}`, thumbnailUrl: null
})

const siteOf = (site: Kept): BuilderSite => ({
  siteName: site.site_name,
  externalUid: site.external_uid,
  templateId: site.template_id,
  status: site.status,
  defaultUrl: `${ADDRESS}/sites/${site.site_name}`,
  previewUrl: `${ADDRESS}/preview/${site.site_name}`,
  thumbnailUrl: null,
  domain: site.domain,
  firstPublishedAt: site.first_published_at === null ? null : new Date(site.first_published_at),
  publishedAt: site.published_at === null ? null : new Date(site.published_at)
})
