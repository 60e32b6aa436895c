import type { FilterNode } from '../matcher/ast.js'
import { docOf, int } from '../values/build.js'
import { TYPE_NUMBERS } from '../values/order.js'
import { Doc, Regex } from '../values/types.js'
import type { Value } from '../values/types.js'

const single = (key: string, value: Value): Doc => Doc.of([[key, value]])

/** A parsed filter as explain prints it. */
export function filterDoc (node: FilterNode): Doc {
  switch (node.kind) {
    case 'and': return node.children.length === 1 ? filterDoc(node.children[0]) : node.children.length === 0 ? Doc.of() : branches('$and', node.children)
    case 'or': return branches('$or', node.children)
    case 'nor': return branches('$nor', node.children)
    case 'not': return negated(node.child)
    case 'true': return single('$alwaysTrue', int(1))
    case 'false': return single('$alwaysFalse', int(1))
    case 'expr': return single('$expr', node.spec)
    case 'jsonSchema': return single('$jsonSchema', node.spec)
    case 'text': return single('$text', docOf({
      $search: node.search, $language: node.language ?? 'english', $caseSensitive: node.caseSensitive, $diacriticSensitive: node.diacriticSensitive
    }))
    default: return node.path === '' ? condition(node) : single(node.path, condition(node))
  }
}

const branches = (name: string, children: readonly FilterNode[]): Doc => single(name, children.map(filterDoc))

function negated (child: FilterNode): Doc {
  if (!('path' in child)) return single('$nor', [filterDoc(child)])
  return child.path === '' ? single('$not', condition(child)) : single(child.path, single('$not', condition(child)))
}

type PathNode = Extract<FilterNode, { path: string }>

function condition (node: PathNode): Doc {
  switch (node.kind) {
    case 'compare': return single(`$${node.op}`, node.value)
    case 'in': return single('$in', [...node.values, ...node.regexes.map(({ pattern, options }) => new Regex(pattern, options))])
    case 'exists': return single('$exists', true)
    case 'type': return single('$type', [...node.types].map(name => int(TYPE_NUMBERS.get(name) ?? 0)))
    case 'mod': return single('$mod', [node.divisor, node.remainder])
    case 'regex': return node.options === '' ? single('$regex', node.pattern) : single('$regex', node.pattern).set('$options', node.options)
    case 'size': return single('$size', int(node.size))
    case 'bits': return single(`$bits${node.mode[0].toUpperCase()}${node.mode.slice(1)}`, node.positions.map(int))
    case 'elemMatchObject': return single('$elemMatch', filterDoc(node.child))
    case 'elemMatchValue': return single('$elemMatch', Doc.of(node.children.flatMap(child => [...filterDoc(child)])))
  }
}
