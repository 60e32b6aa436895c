import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { ActivityRow } from '../../models/activities.js'
import * as operations from '../../schemas/activities.js'
import { toActivity, toAuditEntry, toComment } from '../../schemas/activities.js'
import type { ActivitiesService } from '../../services/activities/index.js'
import type { Actor } from '../../services/kit.js'
import type { Platform } from '../../services/platform.js'
import { exportHeaders, exportStream } from '../../services/resource/export.js'
import { pickFields } from '../../services/resource/list.js'

type Options = { platform: Platform, activities: ActivitiesService }
const scoped = (scope: string) => ({ access: 'account', scopes: [scope] } as const)
const READ = scoped('activities.read')
const ANALYTICS = scoped('activities.analytics.read')
const AUDIT = { access: 'admin', scopes: ['activities.audit.read'] } as const
const FIELDS = new Set(Object.keys(operations.Activity.properties))
const AUDIT_FIELDS = new Set(Object.keys(operations.AuditEntry.properties))
const COLUMNS = [...FIELDS].filter(name => name !== 'comments')
const LAST = 3
const ALL = 1_000

const callerOf = (req: FastifyRequest) => ({ ip: req.ip, ...(req.headers['user-agent'] !== undefined && { userAgent: req.headers['user-agent'] }) })

export const activities: FastifyPluginAsyncTypebox<Options> = async (app, { platform, activities }) => {
  const { comments, figures, log } = activities
  await app.register(timeline)
  await app.register(remarks)
  await app.register(analytics, { prefix: '/analytics' })
  await app.register(audit, { prefix: '/audit' })

  async function withComments (actor: Actor, rows: ActivityRow[], each: number) {
    const last = await comments.last(actor, rows, each)
    return rows.map(row => toActivity({ ...row, comments: last.get(row._id.toHexString()) ?? [] }))
  }

  async function timeline (scope: typeof app) {
    for (const [path, schema] of [['/', operations.listActivities], ['/search', operations.searchActivities]] as const) {
      scope.get(path, { schema, config: READ }, async req => {
        const { rows, pagination } = await activities.list(req.actor, req.query)
        const data = req.query.expand === 'comments' ? await withComments(req.actor, rows, LAST) : rows.map(toActivity)
        return { data: pickFields(data, req.query.fields, FIELDS), pagination }
      })
    }
    scope.get('/export', { schema: operations.exportActivities, config: { ...scoped('activities.export'), limit: 'heavy', raw: true } }, async (req, reply) => {
      const { format = 'csv', ...filters } = req.query
      const rows = await activities.stream(req.actor, filters)
      return reply.headers(exportHeaders('activities', format, platform.clock.now())).send(exportStream(map(rows, toActivity), format, COLUMNS))
    })
    scope.get('/:id', { schema: operations.getActivity, config: READ }, async req => {
      const [data] = await withComments(req.actor, [await activities.get(req.actor, req.params.id)], ALL)
      return { data: data! }
    })
    scope.post('/', { schema: operations.createActivity, config: scoped('activities.create') }, async (req, reply) => {
      const row = await activities.create(req.actor, req.body)
      reply.code(201).header('location', `/v1/activities/${row._id.toHexString()}`)
      return { data: toActivity(row), message: 'Activity logged.' }
    })
    scope.put('/:id', { schema: operations.updateActivity, config: scoped('activities.update') }, async req => ({
      data: toActivity(await activities.update(req.actor, req.params.id, req.body)), message: 'Activity updated.'
    }))
    scope.delete('/:id', { schema: operations.deleteActivity, config: scoped('activities.delete') }, async req => ({
      data: toActivity(await activities.remove(req.actor, req.params.id, callerOf(req))), message: 'Activity deleted.'
    }))
    scope.put('/:id/pin', { schema: operations.pinActivity, config: scoped('activities.update') }, async req => ({ data: toActivity(await activities.pin(req.actor, req.params.id, req.body.pinned)) }))
  }

  async function remarks (scope: typeof app) {
    scope.get('/:id/comments', { schema: operations.listComments, config: READ }, async req => {
      const { rows, pagination } = await comments.list(req.actor, req.params.id, req.query)
      return { data: rows.map(toComment), pagination }
    })
    scope.post('/:id/comments', { schema: operations.addComment, config: scoped('activities.comments.create') }, async (req, reply) => {
      const row = await comments.add(req.actor, req.params.id, req.body)
      reply.code(201)
      return { data: toComment(row), message: 'Comment added.' }
    })
    scope.put('/:id/comments/:comment_id', { schema: operations.editComment, config: scoped('activities.comments.update') }, async req => ({
      data: toComment(await comments.edit(req.actor, req.params.id, req.params.comment_id, req.body.content!)), message: 'Comment updated.'
    }))
    scope.delete('/:id/comments/:comment_id', { schema: operations.deleteComment, config: scoped('activities.comments.delete') }, async req => ({
      data: toComment(await comments.remove(req.actor, req.params.id, req.params.comment_id)), message: 'Comment deleted.'
    }))
  }

  async function analytics (scope: typeof app) {
    scope.get('/summary', { schema: operations.activitySummary, config: ANALYTICS }, async req => ({ data: await figures.summary(req.actor, req.query) }))
    scope.get('/users', { schema: operations.activityByUser, config: { ...ANALYTICS, access: 'admin' } }, async req => ({ data: await figures.byUser(req.actor, req.query) }))
    scope.get('/timeline', { schema: operations.activityTimeline, config: ANALYTICS }, async req => ({ data: await figures.byTime(req.actor, req.query) }))
  }

  async function audit (scope: typeof app) {
    scope.get('/', { schema: operations.listAudit, config: AUDIT }, async req => {
      const { rows, pagination } = await log.list(req.actor, req.query)
      return { data: pickFields(rows.map(toAuditEntry), req.query.fields, AUDIT_FIELDS), pagination }
    })
    scope.get('/verify', { schema: operations.verifyAudit, config: { ...AUDIT, limit: 'heavy' } }, async req => ({ data: await log.verify(req.actor, req.query) }))
    scope.get('/export', { schema: operations.exportAudit, config: { access: 'admin', scopes: ['activities.audit.export'], limit: 'heavy', raw: true } }, async (req, reply) => {
      const { format = 'csv', ...filters } = req.query
      const rows = await log.export(req.actor, filters, callerOf(req))
      return reply.headers(exportHeaders('audit', format, platform.clock.now())).send(exportStream(map(rows, toAuditEntry), format, [...AUDIT_FIELDS]))
    })
    scope.get('/:id', { schema: operations.getAudit, config: AUDIT }, async req => ({ data: toAuditEntry(await log.get(req.actor, req.params.id)) }))
  }
}

async function * map<T, U> (items: AsyncIterable<T>, convert: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield convert(item)
}
