import type { FilterNode } from '../matcher/ast.js'
import { display } from '../values/format.js'
import type { Doc } from '../values/types.js'

type Asked = { readonly filter: FilterNode, readonly sort?: Doc, readonly projection?: Doc }

/** What queries have in common that differ in their values alone. */
export const shapeOf = ({ filter, sort, projection }: Asked): string =>
  `${nodeShape(filter)} ${sort === undefined ? '' : display(sort)} ${projection === undefined ? '' : display(projection)}`

function nodeShape (node: FilterNode): string {
  const at = 'path' in node ? node.path : ''
  switch (node.kind) {
    case 'and': case 'or': case 'nor': case 'elemMatchValue': return `${node.kind} ${at}(${node.children.map(nodeShape).join()})`
    case 'not': case 'elemMatchObject': return `${node.kind} ${at}(${nodeShape(node.child)})`
    // null and arrays make bounds of another kind
    case 'compare': return `${node.op}${node.value === null ? 'null' : Array.isArray(node.value) ? '[]' : ''} ${at}`
    default: return `${node.kind} ${at}`
  }
}
