import { UpstreamError, badAnswer, type HttpClient, type Method } from '../http/index.js'
import { trimmed, type CallContext } from '../provider.js'
import { translate } from './errors.js'
import type { BuilderContent, BuilderSite, BuilderStatus, BuilderTemplate, SiteBuilderClient } from './types.js'

export type DudaOptions = {
  /** address of the API, such as https://api.duda.co/api */
  baseUrl: string
  /** `user:password` */
  token: string
  http: HttpClient
}

type Row = Readonly<Record<string, unknown>>

const part = encodeURIComponent
const text = (value: unknown): string | null => typeof value === 'string' && value !== '' ? value : null
const date = (value: unknown): Date | null => {
  const at = new Date(text(value) ?? NaN)
  return Number.isNaN(at.getTime()) ? null : at
}
const day = (at: Date) => at.toISOString().slice(0, 10)
const https = (host: string) => /^https?:\/\//.test(host) ? host : `https://${host}`

/** Duda's Partner API. Reads are tried twice; the rest once, because creating twice makes two sites. */
export function createDuda (options: DudaOptions): SiteBuilderClient {
  const base = trimmed(options.baseUrl)
  const authorization = `Basic ${Buffer.from(options.token).toString('base64')}`

  async function ask (method: Method, path: string, json: unknown, context: CallContext = {}): Promise<unknown> {
    try {
      const answer = await options.http.call({
        upstream: 'site-builder',
        url: base + path,
        method,
        headers: { authorization, accept: 'application/json' },
        ...(json === undefined ? {} : { json }),
        idempotent: method === 'GET',
        timeoutMs: 20_000,
        requestId: context.requestId,
        signal: context.signal
      })
      return answer.bytes.length === 0 ? null : answer.json()
    } catch (error) {
      throw translate(error)
    }
  }

  /** null instead of the builder's 404. */
  async function orNull<T> (work: Promise<T>): Promise<T | null> {
    try {
      return await work
    } catch (error) {
      if (error instanceof UpstreamError && error.status === 404) return null
      throw error
    }
  }

  const site = (name: string) => `/sites/multiscreen/${part(name)}`
  const nameOf = (answer: unknown): { siteName: string } => {
    const siteName = text((answer as Row | null)?.site_name)
    if (siteName === null) throw translate(badAnswer('site-builder', 'no site name'))
    return { siteName }
  }

  return {
    async createSite ({ externalUid, templateId, name, lang, domainPrefix }, context) {
      return nameOf(await ask('POST', '/sites/multiscreen/create', {
        template_id: templateId,
        lang,
        default_domain_prefix: domainPrefix,
        site_data: { external_uid: externalUid, site_business_info: { business_name: name } }
      }, context))
    },
    async findByExternalUid (externalUid, context) {
      const answer = await orNull(ask('GET', `/sites/multiscreen/byexternalid/${part(externalUid)}`, undefined, context))
      const first: unknown = Array.isArray(answer) ? answer[0] : (answer as Row | null)?.site_name
      return text(first)
    },
    async getSite (name, context) {
      const answer = await orNull(ask('GET', site(name), undefined, context))
      return answer === null ? null : siteOf(answer as Row)
    },
    getContent: async (name, context) => await ask('GET', `${site(name)}/content`, undefined, context) as BuilderContent,
    async putContent (name, content, context) { await ask('POST', `${site(name)}/content`, content, context) },
    async publish (name, context) { await ask('POST', `/sites/multiscreen/publish/${part(name)}`, undefined, context) },
    async unpublish (name, context) { await ask('POST', `/sites/multiscreen/unpublish/${part(name)}`, undefined, context) },
    async deleteSite (name, context) { await orNull(ask('DELETE', site(name), undefined, context)) },
    async duplicate (name, { externalUid, domainPrefix }, context) {
      const body = { new_default_domain_prefix: domainPrefix, new_external_uid: externalUid }
      return nameOf(await ask('POST', `/sites/multiscreen/duplicate/${part(name)}`, body, context))
    },
    async listTemplates (context) {
      return rows(await ask('GET', '/sites/multiscreen/templates', undefined, context)).map(templateOf)
    },
    async createTemplate ({ siteName, name }, context) {
      return templateOf(await ask('POST', '/sites/multiscreen/templates/fromsite', { site_name: siteName, new_template_name: name }, context) as Row)
    },
    async stats (name, { from, to }, context) {
      const query = `from=${day(from)}&to=${day(to)}`
      const [traffic, acts] = await Promise.all(['traffic', 'activities'].map(result =>
        ask('GET', `/analytics/site/${part(name)}?${query}&result=${result}`, undefined, context) as Promise<Row>))
      return {
        visitors: Number(traffic?.VISITORS ?? 0),
        visits: Number(traffic?.VISITS ?? 0),
        pageViews: Number(traffic?.PAGE_VIEWS ?? 0),
        formSubmissions: Number(acts?.FORM_SUBMITS ?? 0)
      }
    },
    async submissions (name, { from, to }, context) {
      const answer = await ask('GET', `/sites/multiscreen/get-forms/${part(name)}?from=${day(from)}&to=${day(to)}`, undefined, context)
      return rows(answer).map(row => ({
        formTitle: text(row.form_title) ?? '',
        fields: Object.fromEntries(Object.entries((row.message ?? {}) as Row).map(([label, value]) => [label, String(value ?? '')])),
        at: date(row.date) ?? new Date(0)
      }))
    },
    async ssoLink (name, account, context) {
      const answer = await ask('GET', `/accounts/sso/${part(account)}/link?site_name=${part(name)}&target=EDITOR`, undefined, context) as Row | null
      const url = text(answer?.url)
      if (url === null) throw translate(badAnswer('site-builder', 'no link'))
      return { url }
    },
    async setDomain (name, domain, context) { await ask('POST', `/sites/multiscreen/update/${part(name)}`, { site_domain: domain ?? '' }, context) },
    async revisions (name, context) {
      return rows(await ask('GET', `${site(name)}/backups`, undefined, context)).flatMap(row => {
        const id = text(row.backup_name)
        return id === null ? [] : [{ id, at: date(row.created) ?? new Date(0) }]
      })
    },
    async restore (name, revisionId, context) { await ask('POST', `${site(name)}/backups/${part(revisionId)}/restore`, undefined, context) }
  }
}

/** A list that stands alone or under `results`. */
function rows (answer: unknown): Row[] {
  const list: unknown = Array.isArray(answer) ? answer : (answer as Row | null)?.results
  if (!Array.isArray(list)) throw translate(badAnswer('site-builder', 'no list'))
  return list as Row[]
}

const STATUSES: readonly BuilderStatus[] = ['PUBLISHED', 'UNPUBLISHED']

function siteOf (row: Row): BuilderSite {
  const siteName = text(row.site_name)
  if (siteName === null) throw translate(badAnswer('site-builder', 'a site without a name'))
  return {
    siteName,
    externalUid: text(row.external_uid),
    templateId: String(row.template_id ?? ''),
    status: STATUSES.find(status => status === row.publish_status) ?? 'NOT_PUBLISHED_YET',
    defaultUrl: https(text(row.site_default_domain) ?? ''),
    previewUrl: text(row.preview_site_url) ?? '',
    thumbnailUrl: text(row.thumbnail_url),
    domain: text(row.site_domain),
    firstPublishedAt: date(row.first_published_date),
    publishedAt: date(row.last_published_date)
  }
}

const templateOf = (row: Row): BuilderTemplate => ({
  templateId: String(row.template_id ?? ''),
  name: text(row.template_name) ?? '',
  previewUrl: text(row.preview_url) ?? '',
  thumbnailUrl: text(row.thumbnail_url)
})
