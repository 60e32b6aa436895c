import { aggregateCommand } from './aggregate.js'
import { collModCommand, createCommand, dropCommand, dropDatabaseCommand, listCollectionsCommand, renameCollectionCommand } from './collections.js'
import type { Command } from './command.js'
import { countCommand, distinctCommand } from './count-distinct.js'
import { collStatsCommand, dbStatsCommand, listDatabasesCommand } from './databases.js'
import { deleteCommand } from './delete.js'
import { explainCommandEntry } from './explain.js'
import { findAndModifyCommand } from './find-and-modify.js'
import { findCommand } from './find.js'
import { getMoreCommand, killCursorsCommand } from './get-more.js'
import {
  buildInfoCommand, configureFailPointCommand, connectionStatusCommand, getParameterCommand, helloCommand, hostInfoCommand, isMasterCommand, pingCommand,
  replSetGetStatusCommand, serverStatusCommand
} from './handshake.js'
import { createIndexesCommand, dropIndexesCommand, listIndexesCommand, validateCommand } from './indexes.js'
import { insertCommand } from './insert.js'
import { REFUSED_COMMANDS } from './refused.js'
import {
  endSessionsCommand, killAllSessionsByPatternCommand, killAllSessionsCommand, killSessionsCommand, refreshSessionsCommand, startSessionCommand
} from './session-commands.js'
import { abortCommand, commitCommand } from './transactions.js'
import { updateCommand } from './update.js'

const ALL: readonly Command[] = [
  helloCommand, isMasterCommand, pingCommand, buildInfoCommand, serverStatusCommand, connectionStatusCommand, getParameterCommand, hostInfoCommand,
  replSetGetStatusCommand, configureFailPointCommand, listDatabasesCommand, dbStatsCommand, collStatsCommand,
  createCommand, dropCommand, dropDatabaseCommand, renameCollectionCommand, listCollectionsCommand, collModCommand,
  createIndexesCommand, listIndexesCommand, dropIndexesCommand, validateCommand,
  insertCommand, updateCommand, deleteCommand, findAndModifyCommand, findCommand, getMoreCommand, killCursorsCommand, aggregateCommand, countCommand,
  distinctCommand, explainCommandEntry,
  startSessionCommand, endSessionsCommand, refreshSessionsCommand, killSessionsCommand, killAllSessionsCommand, killAllSessionsByPatternCommand,
  commitCommand, abortCommand,
  ...REFUSED_COMMANDS
]

/** Every command by its names. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(ALL.flatMap(command =>
  [command.name, ...command.aliases ?? []].map(name => [name, command] as const)))
