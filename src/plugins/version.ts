import fp from 'fastify-plugin'
import { DashboardMetaModel } from '../models/platform.js'

const REFRESH_MS = 30_000

/** Keeps `dashboardVersion` in step with the `dashboard-meta` document of type `version`, in the background: never a read per request. */
export const watchVersion = fp(async app => {
  const rows = DashboardMetaModel.on(app.mongo)
  const refresh = async () => {
    const row = await rows.findOne({ type: 'version' }, { value: 1 }).lean()
    app.dashboardVersion.current = row === null ? '0' : String(row.value)
  }
  await refresh()
  const timer = setInterval(() => { refresh().catch(error => app.log.warn({ err: error }, 'dashboard version not refreshed')) }, REFRESH_MS)
  timer.unref()
  app.addHook('onClose', async () => clearInterval(timer))
}, { name: 'version', dependencies: ['mongo', 'context'] })
