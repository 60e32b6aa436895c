import { ConfigModel } from '../../models/platform.js'
import type { UserRow } from '../../models/users.js'
import type { ConfigChange, ConfigData, ConfigField, ConfigSummary, ConfigType, ConfigView } from '../../schemas/users-self.js'
import { CommonError, type Actor } from '../kit.js'
import { CONFIG, defaultData } from './config-types.js'
import { UserError } from './errors.js'
import { isDuplicate, type People } from './people.js'
import type { Deps } from './types.js'

const MAX_BYTES = 64 * 1_024
type Fixed = Record<string, ConfigData>

/** Interface configuration: what the account has fixed goes over the person's own, which goes over the defaults. */
export function createConfigs ({ platform, accounts, configs, ports }: Deps, people: People) {
  const { clock, transactions } = platform
  const defaults = ConfigModel.on(platform.mongo)

  const typeOf = (type: string) => {
    const known = CONFIG.get(type)
    if (known === undefined) throw UserError.CONFIG_TYPE_UNKNOWN()
    return known
  }

  async function fixed (accountId: UserRow['account_id']): Promise<Fixed> {
    const row = await accounts.findById(accountId, { 'settings.configs': 1 } as never).lean() as { settings?: { configs?: Fixed } | null } | null
    return row?.settings?.configs ?? {}
  }

  async function baseOf (type: string): Promise<ConfigData> {
    const row = await defaults.findOne({ type: 'user-config', key: type }).sort({ version: -1 }).lean()
    return { ...defaultData(type), ...row?.data as Partial<ConfigData> | undefined }
  }

  async function list (actor: Actor): Promise<ConfigSummary[]> {
    const me = await people.self(actor)
    const owned = configs.find({ account_id: me.account_id, user_id: me._id }, { type: 1, version: 1 }).lean()
    const [locked, own] = await Promise.all([fixed(me.account_id), owned])
    const mine = new Map(own.map(row => [row.type as string, row.version]))
    return [...CONFIG].map(([type, { label, group, adminOnly }]) => ({
      type: type as ConfigType,
      label,
      group,
      admin_only: adminOnly,
      source: type in locked ? 'account' : (mine.get(type) ?? 0) > 0 ? 'user' : 'default'
    }))
  }

  function view (type: string, row: { data: unknown, version: number }, locked: ConfigData | undefined): ConfigView {
    const { label, mandatory } = typeOf(type)
    const data = { ...defaultData(type), ...(locked ?? row.data) as Partial<ConfigData> }
    return {
      type: type as ConfigType,
      label,
      data,
      mandatory_fields: [...mandatory],
      visible_fields: [...data.fields, ...data.cards].filter(field => field.visible).map(({ key }) => key),
      source: locked !== undefined ? 'account' : row.version > 0 ? 'user' : 'default',
      locked: locked !== undefined,
      version: row.version
    }
  }

  /** The person's row, made from the defaults when it is missing: of parallel reads one makes it. */
  async function rowOf (me: UserRow, type: string) {
    const key = { account_id: me.account_id, user_id: me._id, type: type as ConfigType }
    const known = await configs.findOne(key).lean()
    if (known !== null) return known
    const now = clock.now()
    await configs.updateOne(key, { $setOnInsert: { data: await baseOf(type), version: 0, created_at: now, updated_at: now } }, { upsert: true })
      .catch(error => { if (!isDuplicate(error)) throw error })
    return (await configs.findOne(key).lean())!
  }

  async function get (actor: Actor, type: string): Promise<ConfigView> {
    typeOf(type)
    const me = await people.self(actor)
    const [row, locked] = [await rowOf(me, type), await fixed(me.account_id)]
    return view(type, row, locked[type])
  }

  /** @throws ADMIN_ONLY_CONFIG, CONFIG_LOCKED, VERSION_CONFLICT, MANDATORY_FIELD_HIDDEN, VALIDATION_FAILED for unknown field keys */
  async function update (actor: Actor, type: string, { data: change, version }: ConfigChange): Promise<ConfigView> {
    const { adminOnly } = typeOf(type)
    const admin = actor.permissions.has('admin')
    if (adminOnly && !admin) throw UserError.ADMIN_ONLY_CONFIG()
    const me = await people.self(actor)
    const [row, locked] = [await rowOf(me, type), await fixed(me.account_id)]
    if (locked[type] !== undefined && !(adminOnly && admin)) throw UserError.CONFIG_LOCKED()
    if (version !== undefined && version !== row.version) throw CommonError.VERSION_CONFLICT()
    const data = merge({ ...defaultData(type), ...(locked[type] ?? row.data) as Partial<ConfigData> }, change)
    await checkData(actor, type, change, data)
    return transactions.run(async session => {
      const after = await configs.findOneAndUpdate(
        { account_id: me.account_id, user_id: me._id, type: type as ConfigType, version: row.version }, { $set: { data, updated_at: clock.now() }, $inc: { version: 1 } }, { session, returnDocument: 'after' }
      ).lean()
      if (after === null) throw CommonError.VERSION_CONFLICT()
      if (adminOnly) {
        await accounts.updateOne({ _id: me.account_id, settings: null } as never, { $set: { settings: { configs: {} } } } as never, { session })
        await accounts.updateOne({ _id: me.account_id }, { $set: { [`settings.configs.${type}`]: data } } as never, { session })
        await platform.invalidation.invalidate('access.accounts', me.account_id.toHexString(), session)
        await ports.audit({ actor, action: 'config.updated', resource: { type: 'config', id: type }, after: data }, session)
      }
      return view(type, after, adminOnly ? data : undefined)
    })
  }

  async function reset (actor: Actor, type: string): Promise<ConfigView> {
    const { adminOnly } = typeOf(type)
    const admin = actor.permissions.has('admin')
    if (adminOnly && !admin) throw UserError.ADMIN_ONLY_CONFIG()
    const me = await people.self(actor)
    if (!adminOnly && (await fixed(me.account_id))[type] !== undefined) throw UserError.CONFIG_LOCKED()
    const data = await baseOf(type)
    await rowOf(me, type)
    return transactions.run(async session => {
      const after = await configs.findOneAndUpdate(
        { account_id: me.account_id, user_id: me._id, type: type as ConfigType }, { $set: { data, version: 0, updated_at: clock.now() } }, { session, returnDocument: 'after' }
      ).lean()
      if (adminOnly) await accounts.updateOne({ _id: me.account_id }, { $unset: { [`settings.configs.${type}`]: 1 } } as never, { session })
      return view(type, after!, undefined)
    })
  }

  async function checkData (actor: Actor, type: string, change: Partial<ConfigData>, data: ConfigData): Promise<void> {
    const { fields, mandatory, customFields } = typeOf(type)
    if (Buffer.byteLength(JSON.stringify(data)) > MAX_BYTES) throw CommonError.PAYLOAD_TOO_LARGE().with({ info: 'data holds 64 KB.' })
    const custom = customFields && [...change.fields ?? [], ...change.cards ?? []].some(({ key }) => key.startsWith('cf_')) ? await ports.customFields(actor.accountId) : new Set<string>()
    for (const part of ['fields', 'cards'] as const) {
      for (const [index, { key, visible }] of (change[part] ?? []).entries()) {
        if (fields.length > 0 && !fields.includes(key) && !custom.has(key)) {
          throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: `body.data.${part}.${index}.key`, message: `${key} is not a field of ${type}`, code: 'enum' }] })
        }
        if (!visible && mandatory.includes(key)) throw UserError.MANDATORY_FIELD_HIDDEN(key)
      }
    }
  }

  return { list, get, update, reset }
}
export type Configs = ReturnType<typeof createConfigs>

/** Rows are merged by their key, so that a change names only what differs; options by theirs. */
function merge (base: ConfigData, change: Partial<ConfigData>): ConfigData {
  const byKey = (old: ConfigField[], next: ConfigField[] | undefined): ConfigField[] => {
    if (next === undefined) return old
    const changed = new Map(next.map(field => [field.key, field]))
    const kept = old.map(field => ({ ...field, ...changed.get(field.key) }))
    return [...kept, ...next.filter(({ key }) => !old.some(field => field.key === key))]
  }
  return {
    fields: byKey(base.fields, change.fields),
    cards: byKey(base.cards, change.cards),
    widgets: change.widgets ?? base.widgets,
    menu: change.menu ?? base.menu,
    options: { ...base.options, ...change.options }
  }
}
