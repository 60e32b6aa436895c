import t from 'tap'
import { compileExpression, parseVars, scopeOf, Vars } from '../src/expressions/index.js'
import { MongoError } from '../src/values/errors.js'
import { BsonDate, Binary, Doc, Int32, MinKey, ObjectId, Regex, Timestamp, Undefined } from '../src/values/types.js'
import { CONTEXT, bson, check, date, dbl, dec, evaluated, told } from './support/expressions.js'

const DOC = { _id: 1, a: { b: 2, c: [1, 2] }, list: [{ x: 1 }, { x: 2, y: { z: 5 } }, 7, [{ x: 3 }]], n: null, s: 'text', __proto__x: 1 }

t.test('paths, objects and arrays', async t => check(t, [
  ['$a.b', '2', DOC], ['$list.x', '[1, 2]', DOC], ['$list.y.z', '[5]', DOC], ['$list.0', '[]', DOC], ['$s.x', 'missing', DOC], ['$n.x', 'missing', DOC],
  ['$$ROOT.a.b', '2', DOC],
  ['$$CURRENT.s', '"text"', DOC], ['$$REMOVE', 'missing'],
  ['$$NOW', '2025-01-02T03:04:05.678Z'], [{ q: '$nope', r: '$n', s: [{ $add: [1, 1] }, '$nope'] }, '{r: null, s: [2, null]}', DOC],
  ['$', 16872], ['$a.', 40353], ['$a..b', 15998], ['$a.$b', 16410], ['$$', 9], ['$$nope', 17276],
  ['$$a!', 9], [{ 'a.b': 1 }, 16412], [{ a: { $b: 1, c: 1 } }, 15983], [{ a: 1, $b: 1 }, 16410],
  [{ '': 1 }, 15998], [{ $nope: 1 }, 168], [{ $function: {} }, 115], ['$$USER_ROLES', 115], ['$constructor', 'missing'],
  [{ $literal: { $add: [1] } }, '{$add: [1]}'],
  ['$a.c', '[1, 2]', { a: [{ c: 1 }, [{ c: 9 }], { c: 2 }] }]
]))

t.test('logic and branches', async t => check(t, [
  [{ $and: [] }, 'true'], [{ $or: [] }, 'false'], [{ $and: ['', [], {}, 1] }, 'true'], [{ $and: [1, 0] }, 'false'], [{ $or: [dec('0'), dbl(NaN)] }, 'true'],
  [{ $not: [null] }, 'true'],
  [{ $and: [{ $divide: ['$a', 0] }, false] }, 'false', { a: 1 }], [{ $and: [{ $divide: [1, 0] }, false] }, 2], [{ $not: [1, 2] }, 16020],
  [{ $eq: ['$nope', null] }, 'false'],
  [{ $lt: ['$nope', null] }, 'true'], [{ $gt: ['a', 1] }, 'true'], [{ $cmp: [2n, dbl(1.5)] }, '1'], [{ $eq: [1, 1n] }, 'true'],
  [{ $cond: [0, 'a', 'b'] }, '"b"'],
  [{ $cond: { if: 1, then: 'a', else: 'b' } }, '"a"'], [{ $cond: { if: 1, then: 2 } }, 17082], [{ $cond: { then: 1, else: 2 } }, 17080],
  [{ $cond: { if: 1, else: 2 } }, 17081],
  [{ $cond: { i: 1 } }, 17083], [{ $cond: [1, 2] }, 16020], [{ $ifNull: [1] }, 1257300], [{ $ifNull: ['$x', null, 3] }, '3'],
  [{ $ifNull: ['$x', '$y'] }, 'missing'],
  [{ $ifNull: [Undefined.instance, 1] }, '1'], [{ $switch: { branches: [{ case: '$a', then: 1 }] } }, 40066, { a: 0 }],
  [{ $switch: { branches: [{ case: 0, then: 1 }] } }, 40069],
  [{ $switch: { branches: [{ case: 0, then: { $divide: [1, 0] } }], default: 7 } }, '7'], [{ $switch: { branches: [] } }, 40068], [{ $switch: 1 }, 40060],
  [{ $switch: { branches: 1 } }, 40061],
  [{ $switch: { branches: [1] } }, 40062], [{ $switch: { branches: [{ case: 1, then: 1, x: 1 }] } }, 40063], [{ $switch: { branches: [{ then: 1 }] } }, 40064],
  [{ $switch: { branches: [{ case: 1 }] } }, 40065], [{ $switch: { nope: 1 } }, 40067],
  [{ $switch: { branches: [{ case: '$a', then: 'x' }, { case: true, then: 'y' }] } }, '"y"', { a: 0 }]
]))

t.test('arithmetic keeps the narrowest type that holds the result', async t => check(t, [
  [{ $add: [1, 2] }, '3'], [{ $add: [2147483647, 1] }, 'long 2147483648'], [{ $add: [2147483647, 1, -1] }, '2147483647'], [{ $add: [1n, 1] }, 'long 2'],
  [{ $add: [1, dbl(1)] }, '2.'],
  [{ $add: [9223372036854775807n, 1] }, '9223372036854776000.'], [{ $add: [dec('0.1'), 1] }, 'decimal 1.1'], [{ $add: [] }, '0'], [{ $multiply: [] }, '1'],
  [{ $add: [1, '$x'] }, 'null'],
  [{ $add: ['x', null] }, 14], [{ $add: [null, 'x'] }, 'null'], [{ $add: [date('2020-01-01'), 1.5] }, '2020-01-01T00:00:00.002Z'],
  [{ $add: [date('2020-01-01'), date('2020-01-01')] }, 16612],
  [{ $multiply: [3, dbl(0.5)] }, '1.5'], [{ $multiply: [9223372036854775807n, 2] }, '18446744073709552000.'], [{ $multiply: ['a', 1] }, 14],
  [{ $subtract: [5, 7n] }, 'long -2'],
  [{ $subtract: [-2147483648, 1] }, 'long -2147483649'], [{ $subtract: [date('2020-01-02'), date('2020-01-01')] }, 'long 86400000'],
  [{ $subtract: [date('2020-01-02'), 1.9] }, '2020-01-01T23:59:59.999Z'],
  [{ $subtract: [1, 'a'] }, 14], [{ $subtract: [1, date('2020-01-01')] }, 14], [{ $divide: [6, 3] }, '2.'], [{ $divide: [1, 0] }, 2],
  [{ $divide: [null, 'a'] }, 'null'], [{ $divide: ['a', 1] }, 14],
  [{ $divide: [dec('1'), 3] }, 'decimal 0.3333333333333333333333333333333333'], [{ $mod: [7, 3] }, '1'], [{ $mod: [-7, 3] }, '-1'],
  [{ $mod: [7, dbl(3)] }, '1'], [{ $mod: [7.5, 2] }, '1.5'],
  [{ $mod: [7, dbl(3e10)] }, '7.'], [{ $mod: [7n, 3] }, 'long 1'], [{ $mod: [1, 0] }, 16610], [{ $mod: ['a', 1] }, 16611], [{ $abs: -5 }, '5'],
  [{ $abs: -2147483648 }, 'long 2147483648'],
  [{ $abs: -9223372036854775808n }, 28680], [{ $abs: 'a' }, 28765], [{ $abs: dec('-1.50') }, 'decimal 1.50'], [{ $ceil: 1.2 }, '2.'],
  [{ $floor: -1.2 }, '-2.'], [{ $ceil: dec('1.2') }, 'decimal 2'],
  [{ $floor: 3 }, '3'], [{ $sqrt: 9 }, '3.'], [{ $sqrt: -1 }, 28714], [{ $sqrt: dec('2') }, 'decimal 1.414213562373095048801688724209698'],
  [{ $pow: [2, 10] }, '1024'], [{ $pow: [2, 40] }, 'long 1099511627776'],
  [{ $pow: [2, 64] }, '18446744073709552000.'], [{ $pow: [2, -1] }, '0.5'], [{ $pow: [-1, -3] }, '-1'], [{ $pow: [0, -1] }, 28764],
  [{ $pow: ['a', 1] }, 28762], [{ $pow: [1, 'a'] }, 28763],
  [{ $ln: 0 }, 28766], [{ $ln: 1 }, '0.'], [{ $log: [8, 2] }, '3.'], [{ $log: [0, 2] }, 28758], [{ $log: [2, 1] }, 28759], [{ $log10: 0 }, 28761],
  [{ $log10: 100 }, '2.'], [{ $exp: 0 }, '1.'],
  [{ $sin: dbl(Infinity) }, 50989], [{ $acos: 2 }, 50989], [{ $atan2: ['a', 1] }, 51044], [{ $atan2: [1, 'a'] }, 51045], [{ $sin: 0 }, '0.'],
  [{ $cos: dec('0') }, 'decimal 1.000000000000000000000000000000000'],
  [{ $bitAnd: [12, 10] }, '8'], [{ $bitOr: [] }, '0'], [{ $bitAnd: [] }, '-1'], [{ $bitXor: [12, 3n] }, 'long 15'], [{ $bitNot: 5 }, '-6'],
  [{ $bitNot: 1.5 }, 14], [{ $bitNot: 'a' }, 28765],
  [{ $bitAnd: [1.5] }, 14], [{ $bitAnd: [1, null] }, 'null'], [{ $bitNot: [1, 2] }, 16020]
]))

t.test('rounding', async t => check(t, [
  [{ $round: 2.5 }, '2.'], [{ $round: 3.5 }, '4.'], [{ $round: [2.675, 2] }, '2.67'], [{ $round: [1.298, 100] }, '1.298'], [{ $round: [23.298, -1] }, '20.'],
  [{ $trunc: [23.298, -1] }, '20.'],
  [{ $trunc: [1.298, 1] }, '1.2'], [{ $trunc: -1.2 }, '-1.'], [{ $round: [dec('1.298'), 1] }, 'decimal 1.3'], [{ $round: [dec('23.298'), -1] }, 'decimal 2E+1'],
  [{ $round: [dec('1.298'), 100] }, 'decimal 1.298000000000000000000000000000000'],
  [{ $trunc: [dec('1.298912343250054252245154325'), 20n] }, 'decimal 1.29891234325005425224'],
  [{ $round: [2147483647, -1] }, 'long 2147483650'], [{ $round: [9223372036854775806n, -1] }, 51080], [{ $round: [15, -1] }, '20'],
  [{ $round: [25, -1] }, '20'], [{ $round: [4n, 2] }, 'long 4'],
  [{ $round: [1, 2, 3] }, 28667], [{ $round: 'a' }, 51081], [{ $round: [1, 101] }, 51083], [{ $round: [1, -21] }, 51083], [{ $round: [1, 1.5] }, 51082],
  [{ $round: [dbl(Infinity), 0] }, 'Infinity'],
  [{ $round: [null, 'a'] }, 'null'], [{ $round: [1, null] }, 'null'], [{ $trunc: dec('NaN') }, 'decimal NaN']
]))

t.test('accumulators as expressions', async t => check(t, [
  [{ $sum: [1, 'a', 2n] }, 'long 3'], [{ $sum: '$v' }, '3', { v: [1, 2, 'x'] }], [{ $sum: ['$v', 4] }, '4', { v: [1, 2] }], [{ $sum: 'x' }, '0'],
  [{ $avg: '$v' }, '1.5', { v: [1, 2] }], [{ $avg: [] }, 'null'],
  [{ $avg: [dec('1'), 2] }, 'decimal 1.5'], [{ $min: [3, null, 1n] }, 'long 1'], [{ $max: '$v' }, '"a"', { v: [1, 'a'] }], [{ $max: [] }, 'null'],
  [{ $stdDevPop: [1, 3] }, '1.'], [{ $stdDevSamp: [1] }, 'null'],
  [{ $mergeObjects: [{ a: 1, b: 1 }, null, { b: 2, c: 3 }] }, '{a: 1, b: 2, c: 3}'], [{ $mergeObjects: [1] }, 40400],
  [{ $mergeObjects: '$v' }, '{x: 1, y: 2}', { v: [{ x: 1 }, { y: 2 }] }],
  [{ $firstN: { n: 2, input: [1, 2, 3] } }, '[1, 2]'], [{ $lastN: { n: 2, input: [1, 2, 3] } }, '[2, 3]'],
  [{ $minN: { n: 3, input: [null, 2, null, 1] } }, '[1, 2]'],
  [{ $maxN: { n: 1, input: [1, 'a'] } }, '["a"]'], [{ $firstN: { n: 0, input: [] } }, 5787908], [{ $firstN: { n: 'a', input: [] } }, 5787902],
  [{ $firstN: { n: 1.5, input: [] } }, 5787903],
  [{ $firstN: { n: 1, input: 1 } }, 5788200], [{ $firstN: { input: [] } }, 5787906], [{ $firstN: { n: 1 } }, 5787907],
  [{ $firstN: { n: 1, input: [], x: 1 } }, 5787901]
]))

t.test('arrays', async t => check(t, [
  [{ $arrayElemAt: [[1, 2], -1] }, '2'], [{ $arrayElemAt: [[1], 5] }, 'missing'], [{ $arrayElemAt: [null, 1] }, 'null'], [{ $arrayElemAt: [1, 1] }, 28689],
  [{ $arrayElemAt: [[1], 'a'] }, 28690],
  [{ $arrayElemAt: [[1], 1.5] }, 28691], [{ $first: [[]] }, 'missing'], [{ $last: '$v' }, '2', { v: [1, 2] }], [{ $first: 1 }, 28689],
  [{ $concatArrays: [[1], null] }, 'null'], [{ $concatArrays: [[1], 2] }, 28664],
  [{ $in: [1, [dbl(1)]] }, 'true'], [{ $in: [1, 2] }, 40081], [{ $indexOfArray: [[1, 2, 1], 1, 1] }, '2'], [{ $indexOfArray: [[1, 2], 2, 0, 1] }, '-1'],
  [{ $indexOfArray: [1, 1] }, 40090],
  [{ $indexOfArray: [[1], 1, -1] }, 40097], [{ $indexOfArray: [[1], 1, 'a'] }, 40096], [{ $isArray: [[1]] }, 'true'], [{ $isArray: 1 }, 'false'],
  [{ $range: [0, 5, 2] }, '[0, 2, 4]'], [{ $range: [3, 0, -1] }, '[3, 2, 1]'],
  [{ $range: [0, 5, 0] }, 34449], [{ $range: ['a', 1] }, 34443], [{ $range: [1.5, 2] }, 34444], [{ $range: [1, 'a'] }, 34445],
  [{ $range: [0, 1, 'a'] }, 34447], [{ $range: [0, 2147483647] }, 146],
  [{ $reverseArray: [[1, 2]] }, '[2, 1]'], [{ $reverseArray: 1 }, 34435], [{ $size: null }, 17124], [{ $size: [[1, 2]] }, '2'],
  [{ $slice: [[1, 2, 3], 2] }, '[1, 2]'], [{ $slice: [[1, 2, 3], -2] }, '[2, 3]'],
  [{ $slice: [[1, 2, 3], 1, 1] }, '[2]'], [{ $slice: [[1, 2, 3], -5, 2] }, '[1, 2]'], [{ $slice: [1, 1] }, 28724], [{ $slice: [[1], 'a'] }, 28725],
  [{ $slice: [[1], 1.5] }, 28726], [{ $slice: [[1], 0, 0] }, 28729],
  [{ $zip: { inputs: [[1, 2], ['a']] } }, '[[1, "a"]]'],
  [{ $zip: { inputs: [[1, 2], ['a']], useLongestLength: true, defaults: [0, 'z'] } }, '[[1, "a"], [2, "z"]]'], [{ $zip: { inputs: [1] } }, 34468],
  [{ $zip: { inputs: [[1]], defaults: [1] } }, 34466], [{ $zip: { inputs: [] } }, 34465], [{ $zip: 1 }, 34460], [{ $zip: { inputs: 1 } }, 34461],
  [{ $zip: { inputs: [null] } }, 'null'],
  [{ $sortArray: { input: [3, 'a', 1], sortBy: -1 } }, '["a", 3, 1]'],
  [{ $sortArray: { input: [{ a: 2 }, { b: 1 }, { a: 1 }], sortBy: { a: 1 } } }, '[{b: 1}, {a: 1}, {a: 2}]'],
  [{ $sortArray: { input: [{ a: { b: 2 } }, { a: { b: 1 } }], sortBy: { 'a.b': 1 } } }, '[{a: {b: 1}}, {a: {b: 2}}]'], [{ $sortArray: 1 }, 2942500],
  [{ $sortArray: { input: [1] } }, 2942503],
  [{ $sortArray: { sortBy: 1 } }, 2942502], [{ $sortArray: { input: 1, sortBy: 1 } }, 2942504], [{ $sortArray: { input: [], sortBy: 2 } }, 2942506],
  [{ $sortArray: { input: [], sortBy: {} } }, 2],
  [{ $map: { input: [1, 2], in: { $add: ['$$this', '$x'] } } }, '[11, 12]', { x: 10 }], [{ $map: { input: [1], as: 'e', in: '$$nope' } }, 17276],
  [{ $map: { input: [1], as: 'X', in: 1 } }, 9],
  [{ $map: { input: 1, in: 1 } }, 16883], [{ $map: { input: null, in: 1 } }, 'null'], [{ $map: { in: 1 } }, 16880], [{ $map: { input: [] } }, 16882],
  [{ $map: { input: [1], in: '$none' } }, '[null]'],
  [{ $filter: { input: [1, 2, 3], cond: { $gt: ['$$this', 1] }, limit: 1 } }, '[2]'], [{ $filter: { input: [1], cond: 1, limit: 0 } }, 327392],
  [{ $filter: { input: [1], cond: 1, limit: 'a' } }, 327391],
  [{ $filter: { input: 1, cond: 1 } }, 28651], [{ $filter: { cond: 1 } }, 28648], [{ $filter: { input: [] } }, 28650],
  [{ $filter: { input: [], cond: 1, x: 1 } }, 28647],
  [{ $reduce: { input: [1, 2, 3], initialValue: 0, in: { $add: ['$$value', '$$this'] } } }, '6'], [{ $reduce: { input: 1, initialValue: 0, in: 1 } }, 40080],
  [{ $reduce: { input: [], in: 1 } }, 40078],
  [{ $let: { vars: { x: 1, y: '$a' }, in: { $add: ['$$x', '$$y'] } } }, '3', { a: 2 }],
  [{ $let: { vars: { CURRENT: '$a' }, in: '$b' } }, '5', { a: { b: 5 } }], [{ $let: { vars: {} } }, 16877],
  [{ $let: { vars: { x: '$a' }, in: '$$x.b' } }, '[1, 2]', { a: [{ b: 1 }, { b: 2 }] }], [{ $let: { in: 1 } }, 16876],
  [{ $let: { vars: { x: 1, y: '$$x' }, in: '$$y' } }, 17276]
]))

t.test('sets', async t => check(t, [
  [{ $setUnion: [[3, 1], [dbl(1), 2]] }, '[1, 2, 3]'], [{ $setUnion: [[1], null] }, 'null'], [{ $setUnion: [1] }, 17043],
  [{ $setIntersection: [[3, 1, 2], [2, 3]] }, '[2, 3]'], [{ $setIntersection: [1] }, 17047],
  [{ $setIntersection: [] }, '[]'], [{ $setDifference: [[3, 1, 1, 2], [2]] }, '[3, 1]'], [{ $setDifference: [1, []] }, 17048],
  [{ $setDifference: [[], 1] }, 17049], [{ $setEquals: [[1, 2, 2], [2, 1]] }, 'true'],
  [{ $setEquals: [[1]] }, 17045], [{ $setEquals: ['$a', [1]] }, 17044, { a: 1 }], [{ $setEquals: [1, '$a'] }, 5887502],
  [{ $setIsSubset: [[1], [2, 1]] }, 'true'], [{ $setIsSubset: ['$a', [1]] }, 17310, { a: 1 }],
  [{ $setIsSubset: ['$a', 1] }, 17311, { a: [1] }], [{ $setIsSubset: ['$a', '$b'] }, 17046, { a: 1, b: [] }],
  [{ $setIsSubset: ['$a', '$b'] }, 17042, { a: [], b: 1 }], [{ $anyElementTrue: [[0, null]] }, 'false'],
  [{ $allElementsTrue: [[1, 'a']] }, 'true'], [{ $allElementsTrue: 1 }, 17040], [{ $anyElementTrue: 1 }, 17041]
]))

t.test('objects', async t => check(t, [
  [{ $objectToArray: { a: 1 } }, '[{k: "a", v: 1}]'], [{ $objectToArray: 1 }, 40390], [{ $arrayToObject: [[['a', 1], ['a', 2]]] }, '{a: 2}'],
  [{ $arrayToObject: [[{ k: 'x', v: 1 }]] }, '{x: 1}'],
  [{ $arrayToObject: 1 }, 40386], [{ $arrayToObject: [[1]] }, 40398], [{ $arrayToObject: [[['a', 1], {}]] }, 40396], [{ $arrayToObject: [[['a']]] }, 40397],
  [{ $arrayToObject: [[[1, 1]]] }, 40395],
  [{ $arrayToObject: [[{ k: 'a', v: 1 }, 1]] }, 40391], [{ $arrayToObject: [[{ k: 'a' }]] }, 40392], [{ $arrayToObject: [[{ k: 'a', w: 1 }]] }, 40393],
  [{ $arrayToObject: [[{ k: 1, v: 1 }]] }, 40394],
  [{ $getField: 'a.b' }, '5', { 'a.b': 5 }], [{ $getField: { $literal: '$p' } }, '7', { $p: 7 }],
  [{ $getField: { field: 'x', input: '$o' } }, '1', { o: { x: 1 } }], [{ $getField: { field: 'x', input: null } }, 'null'],
  [{ $getField: { field: 'x', input: 1 } }, 'missing'], [{ $getField: '$a' }, 5654600], [{ $getField: { $add: [1] } }, 5654601], [{ $getField: 5 }, 5654602],
  [{ $getField: { input: {} } }, 3041702],
  [{ $getField: { field: 'a' } }, 3041703], [{ $getField: { field: 'a', input: {}, x: 1 } }, 3041701],
  [{ $setField: { field: 'a.b', input: { x: 1 }, value: 2 } }, '{x: 1, a.b: 2}'],
  [{ $setField: { field: 'x', input: { x: 1 }, value: '$$REMOVE' } }, '{}'], [{ $unsetField: { field: 'x', input: { x: 1, y: 2 } } }, '{y: 2}'],
  [{ $setField: 1 }, 4161100], [{ $setField: {} }, 4161102],
  [{ $setField: { field: 'a' } }, 4161103], [{ $setField: { field: 'a', value: 1 } }, 4161109], [{ $setField: { field: 'a', input: 1, value: 1 } }, 4161105],
  [{ $setField: { field: '$a', input: {}, value: 1 } }, 4161108],
  [{ $setField: { field: 1, input: {}, value: 1 } }, 4161107], [{ $unsetField: { field: 'a', input: {}, value: 1 } }, 4161101],
  [{ $setField: { field: 'a', input: null, value: 1 } }, 'null'],
  [{ $getField: '__proto__' }, 'missing'], [{ $bsonSize: {} }, '5'], [{ $bsonSize: 1 }, 31393], [{ $binarySize: 'é' }, '2'],
  [{ $binarySize: new Binary(new Uint8Array(3), 0) }, '3'], [{ $binarySize: 1 }, 51276]
]))

t.test('strings', async t => check(t, [
  [{ $concat: ['a', 'b'] }, '"ab"'], [{ $concat: ['a', null] }, 'null'], [{ $concat: [1] }, 16702], [{ $concat: [] }, '""'],
  [{ $split: ['a,b', ','] }, '["a", "b"]'], [{ $split: ['', ','] }, '[""]'],
  [{ $split: ['a', ''] }, 40087], [{ $split: [1, 'a'] }, 40085], [{ $split: ['a', 1] }, 40086], [{ $strLenCP: 'a😀' }, '2'], [{ $strLenBytes: 'a😀' }, '5'],
  [{ $strLenCP: null }, 34471], [{ $strLenBytes: 1 }, 34473],
  [{ $substrCP: ['a😀b', 1, 1] }, '"😀"'], [{ $substrCP: ['abc', 5, 1] }, '""'], [{ $substrCP: [12345, 1, 2] }, '"23"'], [{ $substrCP: ['a', -1, 1] }, 34455],
  [{ $substrCP: ['a', 0, -1] }, 34454],
  [{ $substrCP: ['a', 'x', 1] }, 34450], [{ $substrCP: ['a', 1.5, 1] }, 34451], [{ $substrBytes: ['aéb', 1, 2] }, '"é"'],
  [{ $substrBytes: ['aéb', 2, 1] }, 28656], [{ $substrBytes: ['aéb', 1, 1] }, 28657],
  [{ $substr: ['abc', 1, -1] }, '"bc"'], [{ $substrBytes: ['a', -1, 1] }, 50752], [{ $substrBytes: ['a', 'x', 1] }, 16034],
  [{ $substrBytes: ['a', 0, 'x'] }, 16035], [{ $indexOfCP: ['a😀b', 'b'] }, '2'],
  [{ $indexOfBytes: ['a😀b', 'b'] }, '5'], [{ $indexOfCP: ['abc', 'c', 0, 2] }, '-1'], [{ $indexOfCP: ['', ''] }, '0'], [{ $indexOfCP: [null, 1] }, 'null'],
  [{ $indexOfCP: [1, ''] }, 40093], [{ $indexOfCP: ['', 1] }, 40094],
  [{ $indexOfBytes: [1, ''] }, 40091], [{ $indexOfBytes: ['', 1] }, 40092], [{ $toUpper: 'aé' }, '"Aé"'], [{ $toLower: null }, '""'],
  [{ $toUpper: [[1]] }, 16007], [{ $toLower: 1.5 }, '"1.5"'],
  [{ $toUpper: date('2020-01-01') }, '"2020-01-01T00:00:00.000Z"'], [{ $strcasecmp: ['a', 'B'] }, '-1'], [{ $strcasecmp: ['A', 'a'] }, '0'],
  [{ $trim: { input: ' a\u00a0' } }, '"a"'],
  [{ $ltrim: { input: 'xxax', chars: 'x' } }, '"ax"'], [{ $rtrim: { input: 'xax', chars: 'x' } }, '"xa"'], [{ $trim: { input: 1 } }, 50699],
  [{ $trim: { input: 'a', chars: 1 } }, 50700], [{ $trim: {} }, 50695],
  [{ $trim: 'a' }, 50696], [{ $trim: { input: 'a', x: 1 } }, 50694], [{ $trim: { input: 'a', chars: null } }, 'null'],
  [{ $replaceOne: { input: 'aba', find: 'a', replacement: { $literal: '$&' } } }, '"$&ba"'],
  [{ $replaceAll: { input: 'aba', find: 'a', replacement: 'x' } }, '"xbx"'], [{ $replaceAll: { input: 'ab', find: '', replacement: '-' } }, '"-a-b-"'],
  [{ $replaceOne: { input: 1, find: 'a', replacement: 'b' } }, 51746],
  [{ $replaceOne: { input: 'a', find: 1, replacement: 'b' } }, 51745], [{ $replaceOne: { input: 'a', find: 'a', replacement: 1 } }, 51744],
  [{ $replaceOne: { input: null, find: 'a', replacement: 'b' } }, 'null'],
  [{ $replaceOne: {} }, 51749], [{ $replaceOne: { input: 'a', replacement: 'b' } }, 51748], [{ $replaceOne: { input: 'a', find: 'b' } }, 51747],
  [{ $replaceAll: 1 }, 51751], [{ $replaceAll: { x: 1 } }, 51750]
]))

t.test('regular expressions', async t => check(t, [
  [{ $regexMatch: { input: 'aB', regex: 'b', options: 'i' } }, 'true'], [{ $regexMatch: { input: null, regex: 'a' } }, 'false'],
  [{ $regexFind: { input: 'x', regex: 'a' } }, 'null'],
  [{ $regexFind: { input: '😀a1', regex: '([a-z])(\\d)(x)?' } }, '{match: "a1", idx: 1, captures: ["a", "1", null]}'],
  [{ $regexFindAll: { input: 'a1b2', regex: new Regex('[a-z]', '') } }, '[{match: "a", idx: 0, captures: []}, {match: "b", idx: 2, captures: []}]'],
  [{ $regexFindAll: { input: 'ab', regex: '' } }, '[{match: "", idx: 0, captures: []}, {match: "", idx: 1, captures: []}]'],
  [{ $regexFindAll: { input: null, regex: 'a' } }, '[]'],
  [{ $regexMatch: { input: 'a', regex: '(' } }, 51111], [{ $regexMatch: { input: 1, regex: 'a' } }, 51104],
  [{ $regexMatch: { input: 'a', regex: 1 } }, 51105], [{ $regexMatch: { input: 'a', regex: 'a', options: 1 } }, 51106],
  [{ $regexMatch: { input: 'a', regex: new Regex('a', 'i'), options: 'i' } }, 51107], [{ $regexMatch: { input: 'a', regex: 'a', options: 'q' } }, 51108],
  [{ $regexMatch: { input: '$x', regex: '$y' } }, 'false'],
  [{ $regexMatch: 1 }, 51103], [{ $regexMatch: { regex: 'a' } }, 31022], [{ $regexMatch: { input: 'a' } }, 31023],
  [{ $regexMatch: { input: 'a', regex: 'a', x: 1 } }, 31024]
]))

t.test('conversions', async t => check(t, [
  [{ $toInt: 1.9 }, '1'], [{ $toInt: '12' }, '12'], [{ $toInt: '1.5' }, 241], [{ $toInt: ' 1' }, 241], [{ $toInt: '2147483648' }, 241],
  [{ $toInt: 2147483648n }, 241], [{ $toInt: dbl(NaN) }, 241], [{ $toInt: true }, '1'],
  [{ $toInt: date('2020-01-01') }, 241], [{ $toLong: date('1970-01-01T00:00:00.123Z') }, 'long 123'], [{ $toLong: dbl(1e20) }, 241],
  [{ $toLong: '-5' }, 'long -5'], [{ $toLong: dec('1.9') }, 'long 1'],
  [{ $toDouble: '1e3' }, '1000.'], [{ $toDouble: '0x1' }, 241], [{ $toDouble: '-inf' }, '-Infinity'], [{ $toDouble: dec('1E+400') }, 241],
  [{ $toDouble: false }, '0.'], [{ $toDouble: 'x' }, 241],
  [{ $toDecimal: 1.9 }, 'decimal 1.90000000000000'], [{ $toDecimal: '1.90' }, 'decimal 1.90'], [{ $toDecimal: true }, 'decimal 1'],
  [{ $toDecimal: '1E+7000' }, 241], [{ $toString: 1.5 }, '"1.5"'],
  [{ $toString: dbl(3) }, '"3"'], [{ $toString: dbl(1e21) }, '"1e+21"'], [{ $toString: 1e-7 }, '"1e-07"'], [{ $toString: 0.0001 }, '"0.0001"'],
  [{ $toString: 0.1 + 0.2 }, '"0.3"'], [{ $toString: dbl(-0) }, '"-0"'],
  [{ $toString: 123456789.123 }, '"123456789.123"'], [{ $toString: true }, '"true"'],
  [{ $toString: new ObjectId(new Uint8Array(12)) }, '"000000000000000000000000"'], [{ $toString: [[1]] }, 241], [{ $toString: null }, 'null'],
  [{ $toBool: '' }, 'true'], [{ $toBool: 0 }, 'false'], [{ $toBool: dbl(NaN) }, 'true'], [{ $toBool: date('1970-01-01') }, 'true'],
  [{ $toBool: MinKey.instance }, 'true'], [{ $toDate: 1000n }, '1970-01-01T00:00:01.000Z'],
  [{ $toDate: 1 }, 241], [{ $toDate: 1.9 }, '1970-01-01T00:00:00.001Z'], [{ $toDate: '2020-02-30' }, 241],
  [{ $toDate: new Timestamp(60, 1) }, '1970-01-01T00:01:00.000Z'],
  [{ $toObjectId: '0123456789abcdef01234567' }, "objectId ObjectId('0123456789abcdef01234567')"], [{ $toObjectId: 'zz' }, 241], [{ $toObjectId: 1 }, 241],
  [{ $toInt: [] }, 50723], [{ $toInt: [1] }, '1'],
  [{ $convert: { input: 'x', to: 'int', onError: 'bad' } }, '"bad"'], [{ $convert: { input: null, to: 'int', onNull: 'none' } }, '"none"'],
  [{ $convert: { input: 1, to: null } }, 'null'],
  [{ $convert: { input: 1, to: 16 } }, '1'], [{ $convert: { input: 1, to: 'nope' } }, 2], [{ $convert: { input: 1, to: 1.5 } }, 9],
  [{ $convert: { input: 1, to: 99 } }, 9], [{ $convert: { input: 1, to: true } }, 9],
  [{ $convert: { input: 1 } }, 9], [{ $convert: 1 }, 9], [{ $convert: { input: 1, to: 'minKey', onError: 'E' } }, '"E"'],
  [{ $convert: { input: { $divide: [1, 0] }, to: 'int', onError: 'E' } }, 2],
  [{ $convert: { input: 1.9, to: 'objectId', onError: '$$REMOVE' } }, 'missing'], [{ $type: '$x' }, '"missing"'], [{ $type: [[1]] }, '"array"'],
  [{ $isNumber: 1n }, 'true'], [{ $tsSecond: new Timestamp(5, 6) }, 'long 5'],
  [{ $tsIncrement: 1 }, 5687302], [{ $rand: { a: 1 } }, 3040501], [{ $rand: 'x' }, 10065], [{ $meta: 1 }, 17307], [{ $meta: 'nope' }, 17308],
  [{ $meta: 'searchScore' }, 115], [{ $meta: 'textScore' }, 'missing']
]))

t.test('what an expression tells about itself', async t => {
  const compile = (spec: unknown): ReturnType<typeof compileExpression> => compileExpression(bson(spec), CONTEXT)
  t.same(compile({ $add: ['$a.b', { $size: '$c' }] }).dependencies, ['a.b', 'c'])
  t.same(compile({ $map: { input: '$a', in: '$$this.b' } }).dependencies, ['a'])
  t.equal(compile({ $mergeObjects: ['$$ROOT', '$a'] }).dependencies, 'all')
  t.same(compile({ $getField: 'a' }).dependencies, ['a'])
  t.equal(compile({ $getField: 'a.b' }).dependencies, 'all')
  t.same(compile({ $meta: 'textScore' }).metadata, ['textScore'])
  t.same([compile({ $add: [1, 2] }).isConstant, compile({ $rand: {} }).isConstant, compile('$a').isConstant], [true, false, false])
  t.equal(evaluated({ $meta: 'textScore' }, {}, { meta: { textScore: 1.5 } }), '1.5')
})

t.test('variables of a command and of a sub-pipeline', async t => {
  const vars = parseVars(bson({ x: { $add: [1, 2] }, y: '$$NOW' }) as Doc, CONTEXT)
  const known = compileExpression(bson({ $add: ['$$x', 1] }), { ...CONTEXT, variables: vars })
  t.same([known.isConstant, told(known.constant)], [true, '4'])
  t.throws(() => parseVars(bson({ x: '$a' }) as Doc, CONTEXT), { code: 4890500 })
  t.throws(() => parseVars(bson({ X: 1 }) as Doc, CONTEXT), { code: 9 })
  const declared = { ...CONTEXT, variables: Vars.none.declare(['v']) }
  const later = compileExpression(bson('$$v.a'), declared)
  t.equal(later.isConstant, false)
  t.equal(told(later.evaluate({ ...scopeOf(Doc.of(), declared), vars: Vars.none.with('v', bson({ a: 9 })) })), '9')
  t.throws(() => compileExpression(bson('$$w'), declared), { code: 17276 })
})

t.test('hostile specifications end in errors', async t => {
  const doubled = (initialValue: unknown, operator: string): unknown =>
    ({ $reduce: { input: { $range: [0, 60] }, initialValue, in: { [operator]: ['$$value', '$$value'] } } })
  t.equal(evaluated(doubled('x', '$concat')), 13548)
  t.equal(evaluated(doubled([1], '$concatArrays')), 146)
  const deep = (depth: number): unknown => depth === 0 ? 1 : { $add: [deep(depth - 1)] }
  t.equal(evaluated(deep(150)), '1')
  for (const name of ['constructor', '__proto__', 'toString', '$__proto__', '$constructor', '$hasOwnProperty']) {
    const spec = Doc.of([[name, new Int32(1)]])
    try {
      compileExpression(spec, CONTEXT)
    } catch (e) {
      t.ok(e instanceof MongoError, name)
    }
  }
  t.equal(told(compileExpression(Doc.of([['__proto__', new Int32(1)]]), CONTEXT).constant), '{__proto__: 1}')
  t.equal(told(compileExpression('$a', CONTEXT).evaluate(scopeOf(new BsonDate(1), CONTEXT))), 'missing')
})
