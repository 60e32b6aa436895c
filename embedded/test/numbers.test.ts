import assert from 'node:assert/strict'
import * as bson from 'bson'
import fc from 'fast-check'
import t from 'tap'
import { int } from '../src/values/build.js'
import { decimalExp, decimalLn, decimalLog, decimalLog10, decimalPow, decimalSqrt } from '../src/values/decimal-functions.js'
import {
  decimalAdd, decimalCompare, decimalDivide, decimalMod, decimalMultiply, decimalQuantize, decimalSubtract, decimalWhole, formatDecimal, fromDouble,
  parseDecimal, toDouble, toInteger
} from '../src/values/decimal128.js'
import { add, asInt32, asLong, compareNumbers, divide, mod, multiply, negate, safeAdd, safeMultiply, subtract, Sum } from '../src/values/numbers.js'
import type { NumberValue } from '../src/values/numbers.js'
import { Decimal128, Double, Int32 } from '../src/values/types.js'
import { decimal } from './fixtures/arbitraries.js'

/** Type and value in one text. */
function told (v: NumberValue | null | undefined): string {
  if (v === null || v === undefined) return String(v)
  if (v instanceof Decimal128) return `decimal ${formatDecimal(v)}`
  if (typeof v === 'bigint') return `long ${v}`
  return `${v instanceof Int32 ? 'int' : 'double'} ${Object.is(v.value, -0) ? '-0' : v.value}`
}

await t.test('decimals are written and read as the server does', async t => {
  const cases = [
    ['0', '0'], ['-0', '-0'], ['1.10', '1.10'], ['1E3', '1E+3'], ['1e-6', '0.000001'], ['1e-7', '1E-7'], ['12345E-10', '0.0000012345'], ['.5', '0.5'],
    ['5.', '5'], ['NaN', 'NaN'], ['-inf', '-Infinity'], ['Infinity', 'Infinity'], ['0E+6200', '0E+6111'], ['0E-7000', '0E-6176'],
    ['1E+6144', '1.000000000000000000000000000000000E+6144'], ['1E+6145', 'Infinity'], ['-1E+7000', '-Infinity'], ['1E-6177', '0E-6176'],
    ['9999999999999999999999999999999999', '9999999999999999999999999999999999'], ['99999999999999999999999999999999995', '1.000000000000000000000000000000000E+35'],
    ['12345678901234567890123456789012345', '1.234567890123456789012345678901234E+34'], ['+7', '7'], ['00012', '12']
  ]
  for (const [text, expected] of cases) t.equal(formatDecimal(decimal(text)), expected, text)
  for (const text of ['', 'x', '1e', '1.2.3', '--1', '1 ', ' 1', '0x1', 'e5', '.', '1e5.0', 'infinit']) t.equal(parseDecimal(text), undefined, text)
  t.equal(formatDecimal(decimal(`0.${'0'.repeat(99999)}1`)), '0E-6176')
  t.equal(formatDecimal(decimal('1'.repeat(200000))), 'Infinity')
})

await t.test('the bytes are those of the bson package', async () => {
  const anyText = fc.tuple(fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n }), fc.integer({ min: -6176, max: 6111 })).map(([c, e]) => `${c}E${e}`)
  fc.assert(fc.property(anyText, text => {
    const theirs = bson.Decimal128.fromString(text)
    assert.deepEqual(Buffer.from(decimal(text).bytes), Buffer.from(theirs.bytes))
    assert.equal(formatDecimal(decimal(text)), theirs.toString())
  }), { numRuns: 2000 })
})

await t.test('decimal arithmetic', async t => {
  type Operation = (a: Decimal128, b: Decimal128) => Decimal128
  const cases: [Operation, string, string, string][] = [
    [decimalAdd, '0.1', '0.2', '0.3'], [decimalAdd, '1.10', '2', '3.10'], [decimalAdd, '1E+3', '1', '1001'], [decimalAdd, '-0', '-0', '-0'],
    [decimalAdd, '1', '-1', '0'], [decimalAdd, '1E+34', '1', '1.000000000000000000000000000000000E+34'], [decimalAdd, '1', '1E-6000', '1.000000000000000000000000000000000'],
    [decimalAdd, '1', '-1E-6000', '1.000000000000000000000000000000000'], [decimalAdd, '9999999999999999999999999999999999', '0.5', '1.000000000000000000000000000000000E+34'],
    [decimalAdd, 'Infinity', '-Infinity', 'NaN'], [decimalAdd, 'NaN', '1', 'NaN'], [decimalAdd, 'Infinity', '1', 'Infinity'],
    [decimalAdd, '9.999999999999999999999999999999999E+6144', '9E+6144', 'Infinity'],
    [decimalSubtract, '1.00', '0.1', '0.90'], [decimalSubtract, '1', 'NaN', 'NaN'],
    [decimalMultiply, '1.10', '3', '3.30'], [decimalMultiply, '-1', '0', '-0'], [decimalMultiply, 'Infinity', '0', 'NaN'], [decimalMultiply, 'Infinity', '-2', '-Infinity'],
    [decimalMultiply, '1E+4000', '1E+4000', 'Infinity'], [decimalMultiply, '1E-4000', '1E-4000', '0E-6176'],
    [decimalMultiply, '1234567890123456789', '9876543210987654321', '1.219326311370217952237463801111264E+37'],
    [decimalDivide, '1', '3', '0.3333333333333333333333333333333333'], [decimalDivide, '2', '3', '0.6666666666666666666666666666666667'],
    [decimalDivide, '10', '4', '2.5'], [decimalDivide, '1.00', '1', '1.00'], [decimalDivide, '1', '0', 'Infinity'], [decimalDivide, '-1', '0', '-Infinity'],
    [decimalDivide, '0', '0', 'NaN'], [decimalDivide, '5', 'Infinity', '0E-6176'], [decimalDivide, '1E+3', '10', '1E+2'], [decimalDivide, '2400', '2.0', '1.20E+3'],
    [decimalMod, '10', '3', '1'], [decimalMod, '-10.5', '3', '-1.5'], [decimalMod, '1E+6000', '7', '1'], [decimalMod, '1', 'Infinity', '1'], [decimalMod, '1', '0', 'NaN']
  ]
  for (const [operation, a, b, expected] of cases) {
    t.equal(formatDecimal(operation(decimal(a), decimal(b))), expected, `${operation.name} ${a} ${b}`)
  }
})

await t.test('sums of decimals agree with scaled integers', async () => {
  const cents = fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n })
  fc.assert(fc.property(cents, cents, fc.integer({ min: -20, max: 20 }), (a, b, e) => {
    assert.equal(decimalCompare(decimalAdd(decimal(`${a}E${e}`), decimal(`${b}E${e}`)), decimal(`${a + b}E${e}`)), 0)
    assert.equal(decimalCompare(decimalMultiply(decimal(`${a}E${e}`), decimal(`${b}E-3`)), decimal(`${a * b}E${e - 3}`)), 0)
    assert.equal(Math.sign(decimalCompare(decimal(`${a}E${e}`), decimal(`${b}E${e}`))), a < b ? -1 : a > b ? 1 : 0)
  }), { numRuns: 1000 })
})

await t.test('rounding', async t => {
  t.equal(formatDecimal(decimalQuantize(decimal('1.25'), -1)), '1.2')
  t.equal(formatDecimal(decimalQuantize(decimal('1.35'), -1)), '1.4')
  t.equal(formatDecimal(decimalQuantize(decimal('1.5'), -3)), '1.500')
  t.equal(formatDecimal(decimalQuantize(decimal('-1.29'), -1, 'down')), '-1.2')
  t.equal(formatDecimal(decimalQuantize(decimal('1234'), 2)), '1.2E+3')
  t.equal(formatDecimal(decimalWhole(decimal('-1.5'), 'floor')), '-2')
  t.equal(formatDecimal(decimalWhole(decimal('-1.5'), 'ceil')), '-1')
  t.equal(toInteger(decimal('-2.7')), -2n)
  t.equal(toInteger(decimal('NaN')), undefined)
})

await t.test('doubles become decimals of 15 digits', async t => {
  t.equal(formatDecimal(fromDouble(0.1)), '0.100000000000000')
  t.equal(formatDecimal(fromDouble(1)), '1.00000000000000')
  t.equal(formatDecimal(fromDouble(0)), '0')
  t.equal(formatDecimal(fromDouble(0.1, 34)), '0.1000000000000000055511151231257827')
  t.equal(formatDecimal(fromDouble(-Infinity)), '-Infinity')
  fc.assert(fc.property(fc.double({ noNaN: true }), n => { assert.equal(toDouble(fromDouble(n, 34)), n === 0 ? n : n) }), { numRuns: 1000 })
})

await t.test('functions of decimals', async t => {
  t.equal(formatDecimal(decimalExp(decimal('1'))), '2.718281828459045235360287471352662')
  t.equal(formatDecimal(decimalLn(decimal('2'))), '0.6931471805599453094172321214581766')
  t.equal(formatDecimal(decimalLn(decimal('0'))), '-Infinity')
  t.equal(formatDecimal(decimalLog10(decimal('0.001'))), '-3')
  t.equal(formatDecimal(decimalLog(decimal('8'), decimal('2'))), '3')
  t.equal(formatDecimal(decimalLog(decimal('0.04'), decimal('5'))), '-2')
  t.equal(formatDecimal(decimalLog(decimal('2'), decimal('3'))), '0.6309297535714574370995271143427609')
  t.equal(formatDecimal(decimalSqrt(decimal('2'))), '1.414213562373095048801688724209698')
  t.equal(formatDecimal(decimalSqrt(decimal('4.00'))), '2.0')
  t.equal(formatDecimal(decimalSqrt(decimal('-1'))), 'NaN')
  t.equal(formatDecimal(decimalPow(decimal('505.88'), decimal('2'))), '255914.5744000000000000000000000000')
  t.equal(formatDecimal(decimalPow(decimal('2'), decimal('0.5'))), '1.414213562373095048801688724209698')
  t.equal(formatDecimal(decimalPow(decimal('-2'), decimal('0.5'))), 'NaN')
  t.equal(formatDecimal(decimalPow(decimal('9E+6000'), decimal('9E+6000'))), 'Infinity')
  t.equal(formatDecimal(decimalExp(decimal('-9E+6000'))), '0E-6176')
})

await t.test('results widen as the server has it', async t => {
  const cases: [NumberValue | undefined, string][] = [
    [add(int(1), int(2)), 'int 3'], [add(int(2147483647), int(1)), 'long 2147483648'], [add(int(1), 1n), 'long 2'],
    [add(9223372036854775807n, int(1)), 'double 9223372036854776000'], [add(int(1), new Double(0.5)), 'double 1.5'], [add(int(1), decimal('0.1')), 'decimal 1.1'],
    [subtract(-9223372036854775808n, 1n), 'double -9223372036854776000'], [subtract(int(-2147483648), int(1)), 'long -2147483649'],
    [multiply(int(65536), int(65536)), 'long 4294967296'], [multiply(int(2147483647), int(2147483647)), 'long 4611686014132420609'],
    [multiply(int(-1), int(0)), 'int 0'], [multiply(9223372036854775807n, 2n), 'double 18446744073709552000'],
    [divide(int(6), int(3)), 'double 2'], [divide(int(1), decimal('4')), 'decimal 0.25'], [mod(int(-7), int(3)), 'int -1'], [mod(7n, int(3)), 'long 1'],
    [mod(new Double(5.5), int(2)), 'double 1.5'], [mod(decimal('5.5'), int(2)), 'decimal 1.5'], [negate(int(-2147483648)), 'long 2147483648'],
    [safeAdd(9223372036854775807n, 1n), 'undefined'], [safeMultiply(9223372036854775807n, 2n), 'undefined'], [safeAdd(int(2147483647), int(1)), 'long 2147483648']
  ]
  for (const [value, expected] of cases) t.equal(told(value), expected)
  t.throws(() => divide(int(1), new Double(-0)), { code: 2 })
  t.throws(() => mod(int(1), decimal('0.0')), { code: 2 })
})

await t.test('whole numbers', async t => {
  t.equal(asInt32(new Double(5)), 5)
  t.equal(asInt32(decimal('5.0')), 5)
  t.equal(asInt32(new Double(5.5)), undefined)
  t.equal(asInt32(2147483648n), undefined)
  t.equal(asLong(new Double(2 ** 63)), undefined)
  t.equal(asLong(decimal('1E+3')), 1000n)
  t.equal(asLong('5'), undefined)
  t.equal(compareNumbers(9007199254740993n, new Double(9007199254740992)), 1)
  t.equal(compareNumbers(new Double(NaN), decimal('NaN')), 0)
  t.ok(compareNumbers(new Double(NaN), new Double(-Infinity)) < 0)
  t.ok(compareNumbers(decimal('NaN'), decimal('-Infinity')) < 0)
})

await t.test('sums lose nothing', async t => {
  const sum = (...values: readonly NumberValue[]): Sum => {
    const total = new Sum()
    for (const value of values) total.add(value)
    return total
  }
  t.equal(told(sum().result()), 'int 0')
  t.equal(told(sum().average()), 'null')
  t.equal(told(sum(int(2147483647), int(1)).result()), 'long 2147483648')
  t.equal(told(sum(9007199254740993n, 9007199254740993n, int(5)).result()), 'long 18014398509481991')
  t.equal(told(sum(9223372036854775807n, 1n).result()), 'double 9223372036854776000')
  t.equal(told(sum(9223372036854775807n, 1n, -1n).result()), 'long 9223372036854775807')
  t.equal(told(sum(...[1e100, 1, -1e100].map(n => new Double(n))).result()), 'double 1')
  t.equal(told(sum(...Array.from({ length: 10 }, () => new Double(0.1))).result()), 'double 1')
  t.equal(told(sum(new Double(Infinity), new Double(1)).result()), 'double Infinity')
  t.equal(told(sum(new Double(Infinity), new Double(-Infinity)).result()), 'double NaN')
  t.equal(told(sum(decimal('0.1'), int(1)).result()), 'decimal 1.1')
  t.equal(told(sum(decimal('1'), decimal('2')).average()), 'decimal 1.5')
  t.equal(told(sum(int(1), int(2)).average()), 'double 1.5')
})
