import { randomBytes } from 'node:crypto'
import { docOf, int } from '../values/build.js'
import { Binary, Doc } from '../values/types.js'
import type { Session } from '../sessions/sessions.js'
import { SESSION_TIMEOUT_MINUTES } from '../sessions/sessions.js'
import { typeMismatch } from '../values/errors.js'
import type { Command } from './command.js'
import { fieldTable } from './fields.js'
import type { Operation } from './operation.js'

export const startSessionCommand: Command = {
  name: 'startSession',
  fields: fieldTable({}),
  run (op) {
    const bytes = randomBytes(16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const lsid = docOf({ id: new Binary(bytes, 4) })
    op.engine.sessions.use(lsid)
    return docOf({ id: lsid, timeoutMinutes: int(SESSION_TIMEOUT_MINUTES) })
  }
}

function named (op: Operation): Session[] {
  const lsids = op.body.get(op.name)
  if (!Array.isArray(lsids)) throw typeMismatch(`BSON field '${op.name}.${op.name}' is the wrong type, expected type 'array'`)
  return lsids.map(lsid => op.engine.sessions.find(lsid)).filter(session => session !== undefined)
}

export const endSessionsCommand: Command = {
  name: 'endSessions',
  fields: fieldTable({}),
  run (op) {
    for (const session of named(op)) op.engine.endSession(session)
    return docOf({})
  }
}

export const refreshSessionsCommand: Command = {
  name: 'refreshSessions',
  fields: fieldTable({}),
  run (op) {
    for (const session of named(op)) session.lastUse = Date.now()
    return docOf({})
  }
}

/** No sessions named: those of everybody, since there is only one user. */
export const killSessionsCommand: Command = {
  name: 'killSessions',
  fields: fieldTable({}),
  run (op) {
    const sessions = named(op)
    const none = (op.body.get('killSessions') as unknown[]).length === 0
    for (const session of none ? [...op.engine.sessions.all()] : sessions) op.engine.endSession(session)
    return docOf({})
  }
}

const killAll = (op: Operation): Doc => {
  for (const session of [...op.engine.sessions.all()]) op.engine.endSession(session)
  return docOf({})
}

export const killAllSessionsCommand: Command = { name: 'killAllSessions', fields: fieldTable({}), run: killAll }
export const killAllSessionsByPatternCommand: Command = { name: 'killAllSessionsByPattern', fields: fieldTable({}), run: killAll }
