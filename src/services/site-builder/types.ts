import type { CallContext, ProviderMode, ProviderState } from '../provider.js'
import type { Twin } from '../twin.js'

export type BuilderStatus = 'NOT_PUBLISHED_YET' | 'PUBLISHED' | 'UNPUBLISHED'

export type BuilderSite = {
  siteName: string
  externalUid: string | null
  templateId: string
  status: BuilderStatus
  /** where it is shown when published */
  defaultUrl: string
  previewUrl: string
  thumbnailUrl: string | null
  domain: string | null
  firstPublishedAt: Date | null
  publishedAt: Date | null
}

/** The content library in the builder's shape; parts that are left out stay as they are. */
export type BuilderContent = Partial<Record<'business_data' | 'location_data' | 'site_texts' | 'site_images' | 'theme', unknown>>

export type BuilderTemplate = { templateId: string, name: string, previewUrl: string, thumbnailUrl: string | null }

export type NewSite = {
  /** our id of the site: a second site with it is never made when `findByExternalUid` is asked first */
  externalUid: string
  templateId: string
  name: string
  lang?: string
  domainPrefix?: string
}

export type BuilderStats = { visitors: number, visits: number, pageViews: number, formSubmissions: number }
export type BuilderSubmission = { formTitle: string, fields: Readonly<Record<string, string>>, at: Date }
export type BuilderRevision = { id: string, at: Date }
export type Period = { from: Date, to: Date }

/** Every method takes a `CallContext` last. */
export type SiteBuilderClient = {
  createSite (site: NewSite, context?: CallContext): Promise<{ siteName: string }>
  findByExternalUid (externalUid: string, context?: CallContext): Promise<string | null>
  /** null when the builder has no such site */
  getSite (siteName: string, context?: CallContext): Promise<BuilderSite | null>
  getContent (siteName: string, context?: CallContext): Promise<BuilderContent>
  putContent (siteName: string, content: BuilderContent, context?: CallContext): Promise<void>
  publish (siteName: string, context?: CallContext): Promise<void>
  unpublish (siteName: string, context?: CallContext): Promise<void>
  /** Deleting what is gone is fine. */
  deleteSite (siteName: string, context?: CallContext): Promise<void>
  duplicate (siteName: string, copy: { externalUid: string, domainPrefix: string }, context?: CallContext): Promise<{ siteName: string }>
  listTemplates (context?: CallContext): Promise<BuilderTemplate[]>
  createTemplate (template: { siteName: string, name: string }, context?: CallContext): Promise<BuilderTemplate>
  stats (siteName: string, period: Period, context?: CallContext): Promise<BuilderStats>
  submissions (siteName: string, period: Period, context?: CallContext): Promise<BuilderSubmission[]>
  /** A link into the editor that signs in as an account of the builder; it opens once and soon ends. */
  ssoLink (siteName: string, account: string, context?: CallContext): Promise<{ url: string }>
  setDomain (siteName: string, domain: string | null, context?: CallContext): Promise<void>
  revisions (siteName: string, context?: CallContext): Promise<BuilderRevision[]>
  restore (siteName: string, revisionId: string, context?: CallContext): Promise<void>
}

export type SiteBuilder = SiteBuilderClient & {
  mode: ProviderMode
  twin?: Twin
  state (): ProviderState
  /** Was our route called by the builder? `stale`: its time is more than five minutes away. @throws SITE_BUILDER_NOT_CONFIGURED */
  verifyHook (raw: string | Uint8Array, signature: string, timestamp: string): 'ok' | 'invalid' | 'stale'
}

export const METHODS = [
  'createSite', 'findByExternalUid', 'getSite', 'getContent', 'putContent', 'publish', 'unpublish', 'deleteSite', 'duplicate', 'listTemplates', 'createTemplate', 'stats',
  'submissions', 'ssoLink', 'setDomain', 'revisions', 'restore'
] as const satisfies ReadonlyArray<keyof SiteBuilderClient>
