import { MongoError } from '../values/errors.js'
import type { Doc } from '../values/types.js'

/** The commands of the Stable API, version 1. */
const VERSION_1: ReadonlySet<string> = new Set([
  'abortTransaction', 'aggregate', 'collMod', 'commitTransaction', 'count', 'create', 'createIndexes', 'delete', 'drop', 'dropDatabase', 'dropIndexes',
  'endSessions', 'explain', 'find', 'findAndModify', 'getMore', 'hello', 'insert', 'killCursors', 'listCollections', 'listDatabases', 'listIndexes', 'ping',
  'refreshSessions', 'update'
])

/** What a client declares about the version of the API it was written for. */
export function checkApi (body: Doc): void {
  const version = body.get('apiVersion') ?? undefined
  if (version === undefined) {
    for (const name of ['apiStrict', 'apiDeprecationErrors']) {
      if (body.has(name)) throw new MongoError(4886600, `Provided '${name}' without 'apiVersion'`)
    }
    return
  }
  if (version !== '1') throw new MongoError(322, `API version must be "1", found: ${String(version)}`)
  const name = body.firstKey() ?? ''
  if (body.get('apiStrict') === true && !VERSION_1.has(name)) {
    throw new MongoError(323, `Provided apiStrict:true, but the command ${name} is not in API Version 1. Information on supported commands and migrations ` +
      'in API Version 1 can be found at https://dochub.mongodb.org/core/manual-versioned-api')
  }
}
