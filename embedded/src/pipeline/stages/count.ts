import { MongoError } from '../../values/errors.js'
import { Doc, Int32, isDoc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import type { StageParser } from '../stage.js'
import { parseGroup } from './group.js'
import { parseProject } from './project.js'
import { parseSort } from './sort.js'

const ONE = Doc.of([['$sum', Int32.of(1)]])

export const parseCount: StageParser = (spec, scope, name) => {
  if (typeof spec !== 'string') throw new MongoError(40156, 'the count field must be a non-empty string')
  if (spec === '') throw new MongoError(40157, 'the count field must be a non-empty string')
  if (spec.startsWith('$')) throw new MongoError(40158, 'the count field cannot be a $-prefixed path')
  if (spec.includes('\0')) throw new MongoError(40159, 'the count field cannot contain a null byte')
  if (spec.includes('.')) throw new MongoError(40160, "the count field cannot contain '.'")
  if (spec === '_id') throw new MongoError(15948, "a group's _id may only be specified once")
  return [parseGroup(Doc.of([['_id', null], [spec, ONE]]), scope, name), parseProject(Doc.of([['_id', false]]), scope, name)].flat()
}

export const parseSortByCount: StageParser = (spec, scope, name) => {
  checkSortByCount(spec)
  return [
    parseGroup(Doc.of([['_id', spec], ['count', ONE]]), scope, name),
    parseSort(Doc.of([['count', Int32.of(-1)]]), scope, name)
  ].flat()
}

function checkSortByCount (spec: Value): void {
  if (isDoc(spec)) {
    if (spec.firstKey()?.startsWith('$') === true) return
    throw new MongoError(40147, 'the sortByCount field must be defined as a $-prefixed path or an expression inside an object')
  }
  if (typeof spec !== 'string') throw new MongoError(40149, 'the sortByCount field must be specified as a string or as an object')
  if (!spec.startsWith('$')) throw new MongoError(40148, 'the sortByCount field must be defined as a $-prefixed path or an expression inside an object')
}
