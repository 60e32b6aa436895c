import { Types, type ClientSession } from 'mongoose'
import type { FileModel } from '../../models/shared.js'
import type { FileRecord } from '../../schemas/shared.js'
import { CommonError } from '../kit.js'
import { demandTransaction } from '../transactions.js'
import { SharedError } from './errors.js'

export type FilePlace = { resource: string, id: string }
type LinkTerms = FilePlace & { accountId: string, /** purposes that the record takes; default: any */ purposes?: readonly FileRecord['purpose'][], /** field named in the refusal */ field?: string }

const MAX_REFS = 100

/** What modules that store a file's id call in their transactions. */
export const createFileRefs = (files: FileModel) => ({
  /**
   * Notes that a record uses the file.
   * @throws INVALID_REFERENCE for a missing, foreign or deleted file or one of another purpose, FILE_NOT_READY, FILE_IN_USE over 100 places
   */
  async link (fileId: string, { accountId, resource, id, purposes, field = 'file_id' }: LinkTerms, session: ClientSession): Promise<void> {
    demandTransaction(session, 'a file reference')
    const own = { account_id: new Types.ObjectId(accountId), _id: new Types.ObjectId(fileId), deleted_at: null }
    const row = await files.findOne(own, { status: 1, purpose: 1, refs: 1 }, { session }).lean()
    if (row === null || (purposes !== undefined && !purposes.includes(row.purpose))) throw CommonError.INVALID_REFERENCE(field)
    if (row.status !== 'ready') throw SharedError.FILE_NOT_READY()
    if (row.refs.length >= MAX_REFS && !row.refs.some(ref => ref.resource === resource && ref.id === id)) throw SharedError.FILE_IN_USE().with({ info: 'At most 100 records use one file.' })
    await files.updateOne(own, { $addToSet: { refs: { resource, id } } }, { session })
  },
  /** The record no longer uses the file. */
  async unlink (fileId: string, { accountId, resource, id }: Omit<LinkTerms, 'purposes'>, session: ClientSession): Promise<void> {
    demandTransaction(session, 'a file reference')
    await files.updateOne({ account_id: new Types.ObjectId(accountId), _id: new Types.ObjectId(fileId) }, { $pull: { refs: { resource, id } } }, { session })
  }
})
export type FileRefs = ReturnType<typeof createFileRefs>
