import type { Namespace } from '../catalog/types.js'
import { ChangeStreamSource } from '../changes/stream.js'
import type { Scope } from '../changes/event.js'
import { before, behind, decodeToken } from '../changes/token.js'
import type { Position } from '../changes/token.js'
import type { Pipeline } from '../pipeline/index.js'
import { find } from '../query/index.js'
import type { Reader } from '../storage/index.js'
import { docOf } from '../values/build.js'
import { badValue, MongoError, notSupported } from '../values/errors.js'
import { Timestamp } from '../values/types.js'
import type { Doc, Value } from '../values/types.js'
import { openCursor } from './cursor-reply.js'
import { checkFields, Fields, fieldTable } from './fields.js'
import type { Operation } from './operation.js'

const TITLE = '$changeStream'
const SPEC = fieldTable({
  fullDocument: 'string',
  fullDocumentBeforeChange: 'string',
  resumeAfter: 'object',
  startAfter: 'object',
  startAtOperationTime: 'any',
  allChangesForCluster: 'bool',
  showExpandedEvents: 'bool',
  showRawUpdateDescription: 'unsupported',
  showMigrationEvents: 'unsupported',
  showSystemEvents: 'unsupported',
  allowToRunOnConfigDB: 'unsupported',
  allowToRunOnSystemNS: 'unsupported'
})

type Opening = { readonly namespace: string, readonly batchSize: number | undefined }

export async function openChangeStream (op: Operation, ns: Namespace, pipeline: Pipeline, opening: Opening): Promise<Doc> {
  if (op.transaction !== undefined) throw new MongoError(263, '$changeStream cannot be used in a transaction')
  const spec = new Fields(pipeline.changeStream!, TITLE)
  checkFields(spec.doc, SPEC, TITLE)
  if (spec.flag('showExpandedEvents')) throw notSupported('$changeStream.showExpandedEvents')
  checkBeforeImage(spec.string('fullDocumentBeforeChange'))
  const { engine } = op
  const source = new ChangeStreamSource({
    log: engine.changes,
    scope: scopeOf(op, ns, spec),
    start: startOf(op, spec),
    pipeline,
    snapshot: () => engine.storage.snapshot(),
    lastTime: () => engine.clock.last(),
    lookup: lookupOf(op, spec.string('fullDocument'))
  })
  return openCursor(op, source, opening)
}

function checkBeforeImage (mode: string | undefined): void {
  if (mode === undefined || mode === 'off' || mode === 'whenAvailable') return
  if (mode === 'required') throw notSupported('pre-images of change streams')
  throw badValue(`Enumeration value '${mode}' for field '$changeStream.fullDocumentBeforeChange' is not a valid value.`)
}

function scopeOf (op: Operation, ns: Namespace, spec: Fields): Scope {
  if (!spec.flag('allChangesForCluster')) return ns.coll === '' ? { db: ns.db } : ns
  if (ns.db !== 'admin' || ns.coll !== '') {
    throw new MongoError(72, "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name; " +
      `found ${op.db}`)
  }
  return {}
}

function startOf (op: Operation, spec: Fields): Position {
  const resumeAfter = spec.object('resumeAfter')
  const startAfter = spec.object('startAfter')
  const time = spec.raw('startAtOperationTime')
  if ([resumeAfter, startAfter, time].filter(given => given !== undefined).length > 1) {
    throw new MongoError(40674, 'Only one type of resume option is allowed, but multiple were found')
  }
  if (time !== undefined) {
    if (!(time instanceof Timestamp)) throw new MongoError(14, `BSON field '${TITLE}.startAtOperationTime' is the wrong type, expected type 'timestamp'`)
    return before(time)
  }
  if (startAfter !== undefined) return decodeToken(startAfter, 'startAfter')
  if (resumeAfter === undefined) return behind(op.engine.clock.last())
  const position = decodeToken(resumeAfter, 'resumeAfter')
  if (position.invalidates === true) {
    throw new MongoError(260, "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.")
  }
  return position
}

function lookupOf (op: Operation, mode: string | undefined): ((reader: Reader, event: Doc) => Value) | undefined {
  if (mode === undefined || mode === 'default') return undefined
  if (mode === 'whenAvailable') return () => null
  if (mode === 'required') throw notSupported('post-images of change streams')
  if (mode !== 'updateLookup') throw badValue(`Enumeration value '${mode}' for field '$changeStream.fullDocument' is not a valid value.`)
  return (reader, event) => {
    const ns = { db: event.get('db') as string, coll: event.get('coll') as string }
    const collection = op.engine.catalog.collection(reader, ns)
    const ctx = { now: op.engine.clock.now() }
    const [doc] = find(reader, collection, { filter: docOf({ _id: event.get('id') }), limit: 1, ctx })
    return doc ?? null
  }
}
