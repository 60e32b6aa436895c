import type { Namespace } from '../catalog/types.js'
import type { Pipeline } from '../pipeline/index.js'
import { explain } from '../query/index.js'
import type { FindRequest, Verbosity } from '../query/index.js'
import type { Reader } from '../storage/index.js'
import { docOf, EMPTY, int } from '../values/build.js'
import { badValue, failedToParse, MongoError, typeMismatch } from '../values/errors.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { AGGREGATE_FIELDS, aggregateNamespace } from './aggregate-fields.js'
import type { Command } from './command.js'
import { COUNT_FIELDS, countRequest, DISTINCT_FIELDS, distinctRequest } from './count-distinct.js'
import { checkFields, Fields, fieldTable } from './fields.js'
import type { FieldTable } from './fields.js'
import { FIND_FIELDS, findRequest } from './find.js'
import { VERSION } from './handshake.js'
import { nameOf, namespaceOf } from './namespace.js'
import { Operation } from './operation.js'
import { compileOn, resolveView } from './pipeline-world.js'
import { viewStages } from './views.js'

const VERBOSITIES: ReadonlySet<string> = new Set(['queryPlanner', 'executionStats', 'allPlansExecution'])

type Explained = { readonly op: Operation, readonly reader: Reader, readonly verbosity: Verbosity }
type Explainer = { readonly fields: FieldTable, readonly title: string, readonly run: (explained: Explained, ns: Namespace) => Doc }

const statement = (op: Operation, field: string): Fields => {
  const [first] = op.fields.docs(field) ?? []
  if (first === undefined) throw failedToParse(`explain of ${op.name} needs exactly one statement`)
  return new Fields(first, `${op.name}.${field}`)
}

function planned (kind: 'find' | 'count' | 'distinct' | 'update' | 'delete', requestOf: (e: Explained, ns: Namespace) => FindRequest): Explainer['run'] {
  return (explained, ns) => {
    const { op, reader, verbosity } = explained
    const collection = op.collection(reader, ns)
    const distinctKey = kind === 'distinct' ? op.fields.string('key') : undefined
    return explain(reader, collection, nameOf(ns), { ...requestOf(explained, ns), kind, distinctKey }, verbosity)
  }
}

const contextOf = ({ op, reader }: Explained, ns: Namespace): FindRequest['ctx'] => op.context(op.collection(reader, ns))

const writeRequest = (field: string) => (explained: Explained, ns: Namespace): FindRequest => {
  const fields = statement(explained.op, field)
  const collection = explained.op.collection(explained.reader, ns)
  const single = field === 'deletes' ? fields.integer('limit') === 1 : !fields.flag('multi')
  return {
    filter: fields.object('q') ?? EMPTY,
    hint: fields.hint(),
    limit: single ? 1 : undefined,
    ctx: explained.op.context(collection, explained.op.askedCollation(fields.object('collation')))
  }
}

const EXPLAINERS: ReadonlyMap<string, Explainer> = new Map([
  ['find', { fields: FIND_FIELDS, title: 'FindCommandRequest', run: explainFind }],
  ['count', { fields: COUNT_FIELDS, title: 'count', run: planned('count', (e, ns) => countRequest(e.op, e.op.fields, contextOf(e, ns))) }],
  ['distinct', { fields: DISTINCT_FIELDS, title: 'distinct', run: planned('distinct', (e, ns) => distinctRequest(e.op, e.op.fields, contextOf(e, ns))) }],
  ['update', { fields: fieldTable({ updates: 'array', ordered: 'bool', let: 'object', bypassDocumentValidation: 'flag' }), title: 'update', run: planned('update', writeRequest('updates')) }],
  ['delete', { fields: fieldTable({ deletes: 'array', ordered: 'bool', let: 'object' }), title: 'delete', run: planned('delete', writeRequest('deletes')) }],
  ['findAndModify', {
    fields: fieldTable({
      query: 'object',
      sort: 'object',
      remove: 'flag',
      update: 'update',
      new: 'flag',
      fields: 'object',
      upsert: 'flag',
      bypassDocumentValidation: 'flag',
      collation: 'object',
      arrayFilters: 'array',
      hint: 'hint',
      let: 'object'
    }),
    title: 'findAndModify',
    run: explainFindAndModify
  }],
  ['aggregate', { fields: AGGREGATE_FIELDS, title: 'aggregate', run: explainPipeline }]
])

function explainFind (explained: Explained, ns: Namespace): Doc {
  const { op, reader } = explained
  if (op.collection(reader, ns)?.view !== undefined) return explainStages(explained, ns, viewStages(op))
  return planned('find', e => findRequest(e.op, e.op.fields, e.op.collection(reader, ns)))(explained, ns)
}

function explainFindAndModify (explained: Explained, ns: Namespace): Doc {
  const { fields } = explained.op
  const kind = fields.flag('remove') ? 'delete' : 'update'
  return planned(kind, e => ({
    filter: fields.object('query') ?? EMPTY, sort: fields.object('sort'), hint: fields.hint(), limit: 1, ctx: contextOf(e, ns)
  }))(explained, ns)
}

function explainPipeline (explained: Explained, ns: Namespace): Doc {
  return explainStages(explained, ns, explained.op.fields.docs('pipeline') ?? [])
}

function explainStages ({ op, reader, verbosity }: Explained, ns: Namespace, stages: readonly Doc[]): Doc {
  const pipeline = compileOn(op, reader, ns, stages, { hint: op.fields.hint() })
  if (pipeline.writes !== undefined && verbosity !== 'queryPlanner') {
    throw new MongoError(51029, `Cannot run explain of a pipeline with ${pipeline.writes.stage} at verbosity ${verbosity}`)
  }
  const target = resolveView(op, reader, ns)
  const rest = pipeline.explain()
  const plan = prefixPlan(op, reader, target, pipeline, verbosity)
  if (plan === undefined) return docOf({ explainVersion: '1', stages: [...rest] })
  if (rest.length === 0) return plan
  const cursor = docOf({ queryPlanner: plan.get('queryPlanner'), executionStats: plan.get('executionStats') })
  return docOf({ explainVersion: '1', stages: [docOf({ $cursor: cursor }), ...rest] })
}

function prefixPlan (
  op: Operation, reader: Reader, target: ReturnType<typeof resolveView>, pipeline: Pipeline, verbosity: Verbosity
): Doc | undefined {
  const { prefix } = pipeline
  if (prefix === undefined) return undefined
  return explain(reader, target.collection, nameOf(target.ns), {
    filter: prefix.filterSpec ?? EMPTY,
    parsed: prefix.filter,
    sort: prefix.sort,
    skip: prefix.skip,
    limit: prefix.limit,
    needs: prefix.needs,
    hint: op.fields.hint(),
    ctx: op.context(target.collection),
    kind: 'find'
  }, verbosity)
}

/** What a command would do, told by the plan that it would run. */
function explainCommand (outer: Operation, body: Doc, verbosity: Verbosity): Doc {
  const given = body.firstKey() ?? ''
  const name = given === 'findandmodify' ? 'findAndModify' : given
  const explainer = EXPLAINERS.get(name)
  if (explainer === undefined) throw new MongoError(59, `Explain failed due to unknown command: ${name}`)
  checkFields(body, explainer.fields, explainer.title, field => field === given || IGNORED.has(field))
  const fields = new Fields(body, explainer.title)
  const op = new Operation({ ...outer, fields, name })
  const ns = name === 'aggregate' ? aggregateNamespace(op, fields) : namespaceOf(op.db, body.get(given))
  return finished(op, body, op.read(reader => explainer.run({ op, reader, verbosity }, ns)))
}

const IGNORED: ReadonlySet<string> = new Set(['$db', 'lsid', 'txnNumber', '$clusterTime', '$readPreference', 'readConcern', 'writeConcern', 'maxTimeMS', 'comment'])

function finished (op: Operation, command: Doc, plan: Doc): Doc {
  const reply = plan.copy()
  if (!reply.has('explainVersion')) reply.set('explainVersion', '1')
  reply.set('command', command.copy().set('$db', op.db))
  reply.set('serverInfo', docOf({ host: op.engine.address, port: int(0), version: VERSION, gitVersion: 'embedded' }))
  return reply
}

export const explainAggregate = (op: Operation, ns: Namespace): Doc =>
  finished(op, op.body, op.read(reader => explainPipeline({ op, reader, verbosity: 'queryPlanner' }, ns)))

export const explainCommandEntry: Command = {
  name: 'explain',
  fields: fieldTable({ verbosity: 'string' }),
  run (op) {
    const body: Value | undefined = op.body.get('explain')
    if (!(body instanceof Doc)) throw typeMismatch("BSON field 'explain.explain' is the wrong type, expected type 'object'")
    const verbosity = op.fields.string('verbosity') ?? 'allPlansExecution'
    if (!VERBOSITIES.has(verbosity)) throw badValue(`Enumeration value '${verbosity}' for field 'explain.verbosity' is not a valid value.`)
    return explainCommand(op, body, verbosity as Verbosity)
  }
}
