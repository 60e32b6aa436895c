import { MobileUpdate } from '../schemas/mobile-app.js'
import { defineModel, type ModelOf, type RowOf } from './define.js'

/** The platform's own; every app reads it before anybody has signed in. */
export const MobileUpdateModel = defineModel<typeof MobileUpdate, { seq: number }>(MobileUpdate, {
  collection: 'mobile-app.updates',
  tenant: false,
  stored: { seq: Number } as never,
  indexes: [
    [{ platform: 1, variant: 1, version_code: 1 }, { unique: true }],
    [{ platform: 1, variant: 1, active: 1, version_code: -1 }],
    [{ version_code: -1, _id: -1 }],
    [{ created_at: -1, _id: -1 }]
  ]
})
export type MobileUpdateModel = ModelOf<typeof MobileUpdateModel>
export type MobileUpdateRow = RowOf<typeof MobileUpdate, { seq: number }>
