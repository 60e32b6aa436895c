import type { Collection, Namespace } from '../catalog/types.js'
import { QuerySource } from '../cursors/cursors.js'
import { compileMatch } from '../matcher/match.js'
import { parseFilter } from '../matcher/parse.js'
import { compilePipeline } from '../pipeline/index.js'
import { docOf, EMPTY, int } from '../values/build.js'
import { MongoError } from '../values/errors.js'
import { Binary, Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { Command } from './command.js'
import { openCursor } from './cursor-reply.js'
import { checkFields, Fields, fieldTable } from './fields.js'
import { checkDb, checkWritable, nameOf, namespaceOf, parseFullName } from './namespace.js'
import type { Operation } from './operation.js'
import { PipelineWorld } from './pipeline-world.js'
import { runWrite } from './run-write.js'

const CREATE_OPTIONS = [
  'capped', 'size', 'max', 'viewOn', 'pipeline', 'validator', 'validationLevel', 'validationAction', 'collation', 'expireAfterSeconds', 'storageEngine',
  'indexOptionDefaults', 'idIndex', 'autoIndexId', 'changeStreamPreAndPostImages'
] as const

export const createCommand: Command = {
  name: 'create',
  fields: fieldTable({
    capped: 'flag',
    size: 'number',
    max: 'number',
    viewOn: 'string',
    pipeline: 'array',
    validator: 'object',
    validationLevel: 'string',
    validationAction: 'string',
    collation: 'object',
    timeseries: 'unsupported',
    clusteredIndex: 'unsupported',
    expireAfterSeconds: 'any',
    storageEngine: 'unsupported',
    indexOptionDefaults: 'object',
    idIndex: 'object',
    autoIndexId: 'unsupported',
    changeStreamPreAndPostImages: 'object',
    encryptedFields: 'unsupported',
    temp: 'unsupported',
    flags: 'any'
  }),
  inTransaction: true,
  writeConcern: true,
  async run (op) {
    const ns = checkWritable(namespaceOf(op.db, op.body.get('create')))
    const given = CREATE_OPTIONS.flatMap(name => {
      const value = op.fields.raw(name)
      return value === undefined ? [] : [[name, value] as const]
    })
    op.transaction?.touch(nameOf(ns))
    checkDefinition(op, ns)
    await runWrite(op, w => w.catalog.create(w.writer, ns, Doc.of(given)))
    return docOf({})
  }
}

/** What a definition holds of the query languages is parsed now, so that its first use does not fail. */
function checkDefinition (op: Operation, ns: Namespace): void {
  const { fields } = op
  const collation = op.askedCollation()
  const ctx = { now: op.now, collation: collation === 'simple' ? undefined : collation }
  const validator = fields.object('validator')
  if (validator !== undefined) parseFilter(validator, { ...ctx, allowText: false })
  const viewOn = fields.string('viewOn')
  if (viewOn === undefined) return
  const view = { db: ns.db, coll: viewOn }
  op.read(reader => {
    const { writes } = compilePipeline(fields.docs('pipeline') ?? [], new PipelineWorld({ op, reader, ctx, ns: view }))
    if (writes !== undefined) throw new MongoError(167, `${writes.stage} cannot be used in a view definition`)
  })
}

export const dropCommand: Command = {
  name: 'drop',
  fields: fieldTable({ collectionUUID: 'unsupported' }),
  writeConcern: true,
  async run (op) {
    const ns = namespaceOf(op.db, op.body.get('drop'))
    return runWrite(op, w => {
      const collection = w.catalog.collection(w.writer, ns)
      if (collection === undefined) return docOf({})
      w.catalog.drop(w.writer, collection)
      if (collection.type === 'collection') w.record({ type: 'drop', collection })
      return docOf({ nIndexesWas: collection.type === 'view' ? undefined : int(collection.indexes.length), ns: nameOf(ns) })
    }, [nameOf(ns)])
  }
}

export const dropDatabaseCommand: Command = {
  name: 'dropDatabase',
  fields: fieldTable({}),
  writeConcern: true,
  async run (op) {
    checkDb(op.db)
    const names = op.read(reader => op.engine.catalog.collections(reader, op.db)).map(collection => collection.name)
    return runWrite(op, w => {
      const collections = w.catalog.collections(w.writer, op.db)
      if (collections.length === 0) return docOf({})
      w.catalog.dropDatabase(w.writer, op.db)
      for (const collection of collections) if (collection.type === 'collection') w.record({ type: 'drop', collection })
      w.record({ type: 'dropDatabase', db: op.db })
      return docOf({ dropped: op.db })
    }, names)
  }
}

export const renameCollectionCommand: Command = {
  name: 'renameCollection',
  adminOnly: true,
  fields: fieldTable({ to: 'string', dropTarget: 'flag', stayTemp: 'unsupported', collectionUUID: 'unsupported' }),
  required: ['to'],
  writeConcern: true,
  async run (op) {
    const from = parseFullName(String(op.body.get('renameCollection')))
    const to = checkWritable(parseFullName(op.fields.string('to')!))
    const dropTarget = op.fields.flag('dropTarget')
    await runWrite(op, w => {
      const collection = w.catalog.collection(w.writer, from)
      w.catalog.rename(w.writer, from, to, dropTarget)
      w.record({ type: 'rename', collection: collection!, to, dropTarget })
    }, [nameOf(from), nameOf(to)])
    return docOf({})
  }
}

const described = (collection: Collection): Doc => {
  const isView = collection.type === 'view'
  return docOf({
    name: collection.ns.coll,
    type: collection.type,
    options: collection.options,
    info: docOf({ readOnly: isView, uuid: isView ? undefined : new Binary(collection.uuid, 4) }),
    idIndex: isView ? undefined : collection.indexes.find(index => index.isId)?.spec
  })
}

export const listCollectionsCommand: Command = {
  name: 'listCollections',
  fields: fieldTable({ filter: 'object', nameOnly: 'flag', cursor: 'object', authorizedCollections: 'bool' }),
  run (op) {
    checkDb(op.db)
    const all = op.read(reader => op.engine.catalog.collections(reader, op.db)).map(described)
    const listed = filtered(op, all).map(doc => op.fields.flag('nameOnly') ? docOf({ name: doc.get('name'), type: doc.get('type') }) : doc)
    return listCursor(op, listed, `${op.db}.$cmd.listCollections`)
  }
}

export function filtered (op: Operation, docs: Doc[]): Doc[] {
  const filter = op.fields.object('filter')
  if (filter === undefined || filter.size === 0) return docs
  const ctx = { now: op.now }
  const match = compileMatch(parseFilter(filter, ctx), ctx)
  return docs.filter(doc => match.test(doc))
}

const CURSOR = fieldTable({ batchSize: 'number' })

/** A cursor over documents that are already there. */
export function listCursor (op: Operation, docs: readonly Doc[], namespace: string): Promise<Doc> {
  const spec = op.fields.object('cursor') ?? EMPTY
  checkFields(spec, CURSOR, `${op.name}.cursor`)
  const source = new QuerySource({ docs, interrupt: op.interrupt, snapshot: () => op.engine.storage.snapshot(), knowsEnd: true })
  return openCursor(op, source, { namespace, batchSize: new Fields(spec, `${op.name}.cursor`).natural('batchSize') ?? 1000 })
}

export const collModCommand: Command = {
  name: 'collMod',
  fields: fieldTable({
    index: 'object',
    validator: 'object',
    validationLevel: 'string',
    validationAction: 'string',
    viewOn: 'string',
    pipeline: 'array',
    expireAfterSeconds: 'unsupported',
    timeseries: 'unsupported',
    cappedSize: 'number',
    cappedMax: 'number',
    changeStreamPreAndPostImages: 'unsupported',
    dryRun: 'unsupported',
    recordPreImages: 'unsupported',
    isTimeseriesNamespace: 'unsupported'
  }),
  writeConcern: true,
  async run (op) {
    const ns = namespaceOf(op.db, op.body.get('collMod'))
    const { fields } = op
    checkDefinition(op, ns)
    return runWrite(op, w => {
      const collection = w.catalog.collection(w.writer, ns)
      if (collection === undefined) throw new MongoError(26, `ns does not exist: ${nameOf(ns)}`)
      return w.catalog.collMod(w.writer, collection, {
        index: indexChange(fields.object('index')),
        validator: fields.object('validator'),
        validationLevel: fields.string('validationLevel'),
        validationAction: fields.string('validationAction'),
        viewOn: fields.string('viewOn'),
        pipeline: fields.array('pipeline'),
        cappedSize: fields.integer('cappedSize'),
        cappedMax: fields.integer('cappedMax')
      }).reply
    }, [nameOf(ns)])
  }
}

const INDEX_CHANGE = fieldTable({
  name: 'string', keyPattern: 'object', expireAfterSeconds: 'number', hidden: 'flag', unique: 'unsupported', prepareUnique: 'unsupported', forceNonUnique: 'unsupported'
})

function indexChange (spec: Doc | undefined): { name?: string, keyPattern?: Doc, expireAfterSeconds?: Value, hidden?: boolean } | undefined {
  if (spec === undefined) return undefined
  checkFields(spec, INDEX_CHANGE, 'collMod.index')
  const fields = new Fields(spec, 'collMod.index')
  return {
    name: fields.string('name'),
    keyPattern: fields.object('keyPattern'),
    expireAfterSeconds: fields.raw('expireAfterSeconds'),
    hidden: fields.raw('hidden') === undefined ? undefined : fields.flag('hidden')
  }
}
