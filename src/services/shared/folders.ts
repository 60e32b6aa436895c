import { Types, type ClientSession } from 'mongoose'
import type { FileModel, FolderModel, FolderRow } from '../../models/shared.js'
import type { FolderChange, FolderQuery, NewFolder } from '../../schemas/shared.js'
import { fold } from '../filters/terms.js'
import { CommonError, type Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createLister } from '../resource/list.js'
import { SharedError } from './errors.js'
import { safeName } from './purposes.js'

type Deps = { platform: Platform, folders: FolderModel, files: FileModel }
const HIDDEN = { name_key: 0, path: 0, rev: 0 } as const
const MAX_DEPTH = 8

export function createFoldersService ({ platform, folders, files }: Deps) {
  const { clock, ids, transactions } = platform
  const lister = createLister<FolderRow>({ model: folders as never, sortable: { name: 'name', created_at: 'created_at' }, defaultSort: 'name', projection: HIDDEN })
  const account = (actor: Actor) => new Types.ObjectId(actor.accountId)

  const list = (actor: Actor, { parent_id: parent, root, q, fields: _fields, ...page }: FolderQuery) => lister.list({
    account_id: account(actor),
    ...(parent !== undefined && { parent_id: new Types.ObjectId(parent) }),
    ...(root === true && { parent_id: null }),
    ...(q !== undefined && { name_key: { $gte: fold(q), $lt: `${fold(q)}\uffff` } })
  }, page)

  /** @throws FOLDER_NOT_FOUND */
  async function get (actor: Actor, id: string, session?: ClientSession): Promise<FolderRow> {
    const row = await folders.findOne({ account_id: account(actor), _id: new Types.ObjectId(id) }, null, { session }).lean()
    if (row === null) throw SharedError.FOLDER_NOT_FOUND()
    return row as unknown as FolderRow
  }

  /** The path below a parent. The parent's line is written to, so that two moves that would close a ring conflict. */
  async function pathBelow (actor: Actor, parentId: string | null | undefined, session: ClientSession): Promise<Types.ObjectId[]> {
    if (parentId === null || parentId === undefined) return []
    const parent = await folders.findOne({ account_id: account(actor), _id: new Types.ObjectId(parentId) }, null, { session }).lean() as unknown as FolderRow | null
    if (parent === null) throw CommonError.INVALID_REFERENCE('parent_id')
    const path = [...parent.path, parent._id]
    await folders.updateMany({ account_id: account(actor), _id: { $in: path } }, { $inc: { rev: 1 } }, { session })
    return path
  }

  /** @throws INVALID_REFERENCE, FOLDER_TOO_DEEP, a duplicate for a name that the parent has */
  const create = (actor: Actor, { name, parent_id: parent }: NewFolder): Promise<FolderRow> => transactions.run(async session => {
    const path = await pathBelow(actor, parent, session)
    if (path.length >= MAX_DEPTH) throw SharedError.FOLDER_TOO_DEEP()
    const now = clock.now()
    const plain = safeName(name)
    const row = {
      _id: ids.objectId(),
      account_id: account(actor),
      created_by: new Types.ObjectId(actor.userId),
      name: plain,
      parent_id: path.at(-1) ?? null,
      created_at: now,
      updated_at: now,
      name_key: fold(plain),
      path,
      rev: 0
    }
    await folders.create([row], { session })
    return row as unknown as FolderRow
  })

  /** @throws FOLDER_NOT_FOUND, INVALID_REFERENCE, FOLDER_CYCLE, FOLDER_TOO_DEEP */
  const update = (actor: Actor, id: string, change: FolderChange): Promise<FolderRow> => transactions.run(async session => {
    const before = await get(actor, id, session)
    if (change.parent_id !== undefined) await move(actor, before, change.parent_id, session)
    const name = change.name === undefined ? before.name : safeName(change.name)
    return await folders.findOneAndUpdate(
      { account_id: before.account_id, _id: before._id }, { $set: { name, name_key: fold(name), updated_at: clock.now() } }, { session, returnDocument: 'after', projection: HIDDEN }
    ).lean() as unknown as FolderRow
  })

  async function move (actor: Actor, row: FolderRow, parentId: string | null, session: ClientSession): Promise<void> {
    const path = await pathBelow(actor, parentId, session)
    if (path.some(id => id.equals(row._id))) throw SharedError.FOLDER_CYCLE()
    const below = await folders.find({ account_id: row.account_id, path: row._id }, { path: 1 }, { session }).lean() as unknown as FolderRow[]
    const depth = Math.max(0, ...below.map(({ path: old }) => old.length - row.path.length))
    if (path.length + 1 + depth > MAX_DEPTH) throw SharedError.FOLDER_TOO_DEEP()
    await folders.updateOne({ account_id: row.account_id, _id: row._id }, { $set: { parent_id: path.at(-1) ?? null, path }, $inc: { rev: 1 } }, { session })
    for (const child of below) {
      await folders.updateOne({ account_id: row.account_id, _id: child._id }, { $set: { path: [...path, ...child.path.slice(row.path.length)] } }, { session })
    }
  }

  /** @throws FOLDER_NOT_FOUND, FOLDER_NOT_EMPTY without `moveTo`, INVALID_REFERENCE, FOLDER_CYCLE */
  const remove = (actor: Actor, id: string, moveTo?: string): Promise<FolderRow> => transactions.run(async session => {
    const row = await get(actor, id, session)
    const own = { account_id: row.account_id }
    const children = await folders.find({ ...own, parent_id: row._id }, null, { session }).lean() as unknown as FolderRow[]
    if (moveTo === undefined) {
      const holds = children.length > 0 || await files.exists({ ...own, folder_id: row._id, deleted_at: null }).session(session) !== null
      if (holds) throw SharedError.FOLDER_NOT_EMPTY()
      await files.updateMany({ ...own, folder_id: row._id }, { $set: { folder_id: null } }, { session })
    } else {
      const target = await folders.findOne({ ...own, _id: new Types.ObjectId(moveTo) }, null, { session }).lean() as unknown as FolderRow | null
      if (target === null) throw CommonError.INVALID_REFERENCE('move_to')
      if ([...target.path, target._id].some(at => at.equals(row._id))) throw SharedError.FOLDER_CYCLE()
      for (const child of children) await move(actor, child, moveTo, session)
      await files.updateMany({ ...own, folder_id: row._id }, { $set: { folder_id: target._id } }, { session })
    }
    await folders.deleteOne({ ...own, _id: row._id }, { session })
    return row
  })

  return { list, get, create, update, remove }
}
export type FoldersService = ReturnType<typeof createFoldersService>
