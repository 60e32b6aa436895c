import { notSupported } from '../values/errors.js'
import type { Command } from './command.js'
import type { FieldTable } from './fields.js'

/** Commands of MongoDB that this engine knows of and does not have: they are refused by name, whatever their fields. */
const NAMES: readonly string[] = [
  'mapReduce', 'createUser', 'updateUser', 'dropUser', 'dropAllUsersFromDatabase', 'usersInfo', 'grantRolesToUser', 'revokeRolesFromUser', 'createRole',
  'updateRole', 'dropRole', 'dropAllRolesFromDatabase', 'rolesInfo', 'grantPrivilegesToRole', 'grantRolesToRole', 'revokePrivilegesFromRole',
  'revokeRolesFromRole', 'saslStart', 'saslContinue', 'authenticate', 'logout', 'enableSharding', 'shardCollection', 'addShard', 'removeShard', 'listShards',
  'moveChunk', 'split', 'balancerStart', 'balancerStop', 'reshardCollection', 'refineCollectionShardKey', 'replSetInitiate', 'replSetReconfig',
  'replSetStepDown', 'replSetFreeze', 'convertToCapped', 'cloneCollectionAsCapped', 'compact', 'reIndex', 'fsync', 'fsyncUnlock', 'shutdown', 'setParameter',
  'setFeatureCompatibilityVersion', 'currentOp', 'killOp', 'profile', 'top', 'getLog', 'dbHash', 'dataSize', 'planCacheClear',
  'planCacheListFilters', 'planCacheSetFilter', 'planCacheClearFilters', 'createSearchIndexes', 'dropSearchIndex', 'updateSearchIndex', 'bulkWrite',
  'filemd5', 'geoSearch', 'getDefaultRWConcern', 'setDefaultRWConcern', 'lockInfo', 'rotateCertificates', 'setIndexCommitQuorum', 'whatsmyuri'
]

const ANY: FieldTable = new Map()

export const REFUSED_COMMANDS: readonly Command[] = NAMES.map(name => ({
  name,
  fields: ANY,
  takesAnyField: true,
  run () {
    throw notSupported(`the command ${name}`)
  }
}))
