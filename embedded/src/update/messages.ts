import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import type { Doc, Maybe } from '../values/types.js'

/** `_id: 5`, as MongoDB names the document in its messages. */
export function describeId (root: Doc): string {
  const id = root.get('_id')
  return id === undefined ? 'no id' : `_id: ${display(id)}`
}

/** A path that is looked up, not created, and leads through a value that has no fields. */
export const cannotTraverse = (path: readonly string[], i: number, value: Maybe): MongoError =>
  new MongoError(28, `cannot use the part (${path[i - 1] ?? ''} of ${path.join('.')}) to traverse the element ({${path[i - 1] ?? ''}: ${display(value)}})`)

/** A path that leads through a value that cannot have fields. */
export const notViable = (path: readonly string[], i: number, value: Maybe): MongoError =>
  new MongoError(28, `Cannot create field '${path[i]}' in element {${path[i - 1] ?? ''}: ${display(value)}}`)
