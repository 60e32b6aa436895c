import assert from 'node:assert/strict'
import t from 'tap'
import { civilOf, daysOf, findTimeZone, isoWeekOf, isoString } from '../src/values/dates.js'
import { ObjectId, Timestamp } from '../src/values/types.js'
import { check, date, dec } from './support/expressions.js'
import type { Case } from './support/expressions.js'

t.test('the calendar', async t => {
  for (let days = -800000; days < 3000000; days += 997) {
    const { year, month, day } = civilOf(days)
    const at = new Date(days * 86400000)
    assert.deepEqual([year, month, day, days], [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate(), daysOf(year, month, day)])
  }
  t.same(civilOf(daysOf(2024, 13, 1)), { year: 2025, month: 1, day: 1 })
  t.same(civilOf(daysOf(2024, 0, 1)), { year: 2023, month: 12, day: 1 })
  t.same(civilOf(daysOf(2024, 2, 30)), { year: 2024, month: 3, day: 1 })
  t.same(isoWeekOf(daysOf(2024, 12, 31)), { year: 2025, week: 1, day: 2 })
  t.same(isoWeekOf(daysOf(2021, 1, 3)), { year: 2020, week: 53, day: 7 })
  t.throws(() => isoString(Date.UTC(10000, 0)), { code: 18537 })
})

t.test('time zones', async t => {
  for (const id of ['Nope/Zone', 'utc', 'america/new_york', '+1', '+01:0', '', 'Z', 'EST5EDT;', '../x']) t.equal(findTimeZone(id), undefined, id)
  const local = (id: string, iso: string): string => new Date(findTimeZone(id)!.toLocal(Date.parse(iso))).toISOString().slice(0, 16)
  t.equal(local('America/New_York', '2024-07-01T00:00Z'), '2024-06-30T20:00')
  t.equal(local('America/New_York', '2024-01-01T00:00Z'), '2023-12-31T19:00')
  t.equal(local('Asia/Kolkata', '2024-01-01T00:00Z'), '2024-01-01T05:30')
  t.equal(local('-0330', '2024-01-01T00:00Z'), '2023-12-31T20:30')
  t.equal(local('+05', '2024-01-01T00:00Z'), '2024-01-01T05:00')
  const utc = (id: string, wall: string, summer?: boolean): string => new Date(findTimeZone(id)!.toUtc(Date.parse(`${wall}Z`), summer)).toISOString().slice(0, 16)
  t.equal(utc('America/New_York', '2024-03-10T02:30'), '2024-03-10T07:30', 'skipped in spring')
  t.equal(utc('America/New_York', '2024-11-03T01:30', true), '2024-11-03T05:30', 'twice in autumn, summer time')
  t.equal(utc('America/New_York', '2024-11-03T01:30', false), '2024-11-03T06:30', 'twice in autumn, standard time')
  t.equal(utc('Europe/Paris', '2024-03-31T02:30'), '2024-03-31T01:30')
  t.equal(utc('Europe/Paris', '2024-10-27T02:30', true), '2024-10-27T00:30')
  t.equal(utc('Europe/Paris', '2024-10-27T02:30', false), '2024-10-27T01:30')
  for (const id of ['America/New_York', 'Europe/Paris', 'Australia/Sydney', 'Asia/Kolkata', 'America/Sao_Paulo', 'Pacific/Apia', 'Africa/Casablanca']) {
    const zone = findTimeZone(id)!
    for (let ms = Date.UTC(1965, 0); ms < Date.UTC(2030, 0); ms += 86400000 * 13.37) {
      const at = Math.floor(ms)
      assert.equal(zone.toUtc(zone.toLocal(at), zone.isSummer(at)), at, id)
    }
  }
})

const D = date('2025-03-04T05:06:07.089Z')
const NY = 'America/New_York'

t.test('parts of dates', async t => check(t, [
  [{ $year: D }, '2025'], [{ $month: [D] }, '3'], [{ $dayOfMonth: { date: D } }, '4'], [{ $hour: { date: D, timezone: NY } }, '0'], [{ $minute: D }, '6'],
  [{ $second: D }, '7'], [{ $millisecond: D }, '89'],
  [{ $dayOfWeek: D }, '3'], [{ $dayOfYear: D }, '63'], [{ $week: D }, '9'], [{ $isoWeek: D }, '10'], [{ $isoDayOfWeek: D }, '2'],
  [{ $isoWeekYear: D }, 'long 2025'], [{ $year: null }, 'null'],
  [{ $year: 'x' }, 16006], [{ $year: [D, D] }, 40536], [{ $year: { date: D, x: 1 } }, 40535], [{ $year: { timezone: 'UTC' } }, 40539],
  [{ $year: { date: D, timezone: 1 } }, 40517],
  [{ $year: { date: D, timezone: 'No/Such' } }, 40485], [{ $year: { date: D, timezone: null } }, 'null'],
  [{ $year: new ObjectId(Buffer.from('507c7f79bcf86cd7994f6c0e', 'hex')) }, '2012'],
  [{ $year: new Timestamp(1350336377, 0) }, '2012'], [{ $hour: date('1969-12-31T23:59:59.999Z') }, '23'],
  [{ $millisecond: date('1969-12-31T23:59:59.999Z') }, '999'],
  [{ $dateToParts: { date: D } }, '{year: 2025, month: 3, day: 4, hour: 5, minute: 6, second: 7, millisecond: 89}'],
  [{ $dateToParts: { date: D, iso8601: true } }, '{isoWeekYear: 2025, isoWeek: 10, isoDayOfWeek: 2, hour: 5, minute: 6, second: 7, millisecond: 89}'],
  [{ $dateToParts: { date: D, iso8601: 1 } }, 40521],
  [{ $dateToParts: 1 }, 40524], [{ $dateToParts: {} }, 40522], [{ $dateToParts: { x: 1 } }, 40520],
  [{ $dateFromParts: { year: 2025, month: 14, day: -1, hour: 25 } }, '2026-01-31T01:00:00.000Z'],
  [{ $dateFromParts: { year: 2025, month: 7, timezone: NY } }, '2025-07-01T04:00:00.000Z'],
  [{ $dateFromParts: { isoWeekYear: 2025, isoWeek: 1, isoDayOfWeek: 2 } }, '2024-12-31T00:00:00.000Z'],
  [{ $dateFromParts: { year: 2025, isoWeek: 1 } }, 40489], [{ $dateFromParts: { isoWeekYear: 2025, month: 1 } }, 40525], [{ $dateFromParts: {} }, 40516],
  [{ $dateFromParts: { year: 10000 } }, 40523],
  [{ $dateFromParts: { year: 2025, month: 40000 } }, 31034], [{ $dateFromParts: { year: 1.5 } }, 40515],
  [{ $dateFromParts: { year: 2025, day: null } }, 'null'], [{ $dateFromParts: 1 }, 40519]
]))

t.test('dates to text', async t => check(t, [
  [{ $dateToString: { date: D } }, '"2025-03-04T05:06:07.089Z"'], [{ $dateToString: { date: D, timezone: '+02' } }, '"2025-03-04T07:06:07.089"'],
  [{ $dateToString: { date: D, format: '%Y %m %d %b %B %H %M %S %L %j %w %U %u %V %G %z %Z %%', timezone: NY } }, '"2025 03 04 Mar March 00 06 07 089 063 3 09 2 10 2025 -0500 -300 %"'],
  [{ $dateToString: { date: null, onNull: 'x' } }, '"x"'], [{ $dateToString: { date: D, format: null } }, 'null'],
  [{ $dateToString: { date: D, format: '%' } }, 18535], [{ $dateToString: { date: D, format: '%q' } }, 18536],
  [{ $dateToString: { date: D, format: 1 } }, 18533], [{ $dateToString: { date: 'x' } }, 16006], [{ $dateToString: { date: D, x: 1 } }, 18534],
  [{ $dateToString: {} }, 18628], [{ $dateToString: 1 }, 18629]
]))

const free = (text: string, expected: string | number): Case => [{ $dateFromString: { dateString: text } }, expected]
const formatted = (text: string, format: string, expected: string | number): Case => [{ $dateFromString: { dateString: text, format } }, expected]

t.test('dates from text', async t => check(t, [
  free('2017-07-04T11:56:02Z', '2017-07-04T11:56:02.000Z'), free('2017-07-04T11:56:02.81Z', '2017-07-04T11:56:02.810Z'), free('2017-07-04T11:56.02.813', '2017-07-04T11:56:02.813Z'),
  free('2017-07-06', '2017-07-06T00:00:00.000Z'), free('2017-07-06 11:36', '2017-07-06T11:36:00.000Z'), free('20170706', '2017-07-06T00:00:00.000Z'), free('2017/7/6', '2017-07-06T00:00:00.000Z'),
  free('7/6/2017', '2017-07-06T00:00:00.000Z'), free('6.7.2017', '2017-07-06T00:00:00.000Z'), free('6 Jul 2017', '2017-07-06T00:00:00.000Z'), free('July 6th, 2017 3:05pm', '2017-07-06T15:05:00.000Z'),
  free('Mon, 02 Jan 2006 15:04:05 GMT', '2006-01-02T15:04:05.000Z'), free('2017-W27-2', '2017-07-04T00:00:00.000Z'), free('2017.185', '2017-07-04T00:00:00.000Z'), free('@86400', '1970-01-02T00:00:00.000Z'),
  free('2017-07-14T12:02:44.771 GMT+02:00', '2017-07-14T10:02:44.771Z'), free('2017-07-14T12:02:44.771+0330', '2017-07-14T08:32:44.771Z'), free('2017-07-14T12:02:44.771 PDT', '2017-07-14T19:02:44.771Z'),
  free('2017-07-14T12:02:44.771 A', '2017-07-14T11:02:44.771Z'), free('2017-07-14T12:02:44 America/New_York', 241), free('2017-13-01', 241), free('2017-02-30', 241), free('12:30', 241), free('now', 241), free('', 241),
  free('2017-07-04T24:00:00', 241), free('2017-07-04 2017-07-05', 241), free('2017', 241), [{ $dateFromString: { dateString: '2017-07-06T12:35:37.513', timezone: NY } }, '2017-07-06T16:35:37.513Z'],
  [{ $dateFromString: { dateString: '2017-07-06T12:35:37Z', timezone: NY } }, 241],
  [{ $dateFromString: { dateString: '2017-07-06T12:35:37Z', timezone: 'UTC' } }, '2017-07-06T12:35:37.000Z'],
  formatted('2017-07-04T11:56:02.8Z', '%Y-%m-%dT%H:%M:%S.%LZ', '2017-07-04T11:56:02.800Z'), formatted('06-07-2017', '%d-%m-%Y', '2017-07-06T00:00:00.000Z'), formatted('06-07-2017 x', '%d-%m-%Y', 241),
  formatted('2017-07-14T12:02:44.771 GMT+02', '%Y-%m-%dT%H:%M:%S.%L%z', '2017-07-14T10:02:44.771Z'), formatted('2017 27 2', '%G %V %u', '2017-07-04T00:00:00.000Z'), formatted('2017-185', '%Y-%j', '2017-07-04T00:00:00.000Z'),
  formatted('4 July 2017 +60', '%d %B %Y %Z', '2017-07-03T23:00:00.000Z'), formatted('2017', '%Y', 241), formatted('x', '%q', 18536), formatted('x', '%', 18535), [{ $dateFromString: { dateString: 5 } }, 241],
  [{ $dateFromString: { dateString: 5, onError: 'e' } }, '"e"'], [{ $dateFromString: { dateString: null, onNull: 'n' } }, '"n"'],
  [{ $dateFromString: { dateString: 'x', format: 1 } }, 40684],
  [{ $dateFromString: {} }, 40542], [{ $dateFromString: { x: 1 } }, 40541], [{ $dateFromString: 1 }, 40540]
]))

const add = (startDate: unknown, unit: unknown, amount: unknown, timezone: unknown = 'UTC'): unknown => ({ $dateAdd: { startDate, unit, amount, timezone } })

t.test('adding to dates', async t => check(t, [
  [add(date('2020-10-24T18:10:00Z'), 'hour', 24, 'Europe/Paris'), '2020-10-25T18:10:00.000Z'], [add(date('2020-10-24T18:10:00Z'), 'day', 1, 'Europe/Paris'), '2020-10-25T19:10:00.000Z'],
  [add(date('2021-01-30T23:30:00Z'), 'month', 1, 'Europe/Paris'), '2021-02-27T23:30:00.000Z'], [add(date('2020-12-31T12:10:05Z'), 'quarter', -2), '2020-06-30T12:10:05.000Z'],
  [add(date('2020-02-29T00:00:00Z'), 'year', 1), '2021-02-28T00:00:00.000Z'], [add(date('2020-12-31T12:10:05Z'), 'millisecond', 1050), '2020-12-31T12:10:06.050Z'],
  [{ $dateSubtract: { startDate: date('2021-01-31T03:00:00Z'), unit: 'month', amount: 2, timezone: NY } }, '2020-12-01T03:00:00.000Z'], [add(null, 'day', 1), 'null'], [add(D, 'day', null), 'null'],
  [add(D, 'day', 1.5), 5166405], [add('x', 'day', 1), 5166403], [add(D, 1, 1), 5439013], [add(D, 'eon', 1), 9], [add(D, 'year', 9e15), 5976500],
  [{ $dateAdd: { unit: 'day', amount: 1 } }, 5166402],
  [{ $dateAdd: { startDate: D, units: 'day' } }, 5166401], [{ $dateAdd: 1 }, 5166400], [add(D, 'day', 1, 'No/Such'), 40485]
]))

const diff = (startDate: unknown, endDate: unknown, unit: unknown, rest: object = {}): unknown => ({ $dateDiff: { startDate, endDate, unit, ...rest } })

t.test('differences of dates', async t => check(t, [
  [diff(date('2020-11-01T18:23:36Z'), date('2020-11-02T00:00:00Z'), 'hour'), 'long 6'], [diff(date('2020-11-01T18:23:36Z'), date('2020-11-02T00:00:00Z'), 'hour', { timezone: NY }), 'long 6'],
  [diff(date('2021-01-24T18:23:36Z'), date('2021-01-25T02:23:36Z'), 'week', { startOfWeek: 'MONDAY' }), 'long 1'], [diff(date('2021-01-24T18:23:36Z'), date('2021-01-25T02:23:36Z'), 'week'), 'long 0'],
  [diff(date('2021-01-17T05:00:00Z'), date('2021-01-17T04:59:00Z'), 'week', { timezone: NY, startOfWeek: 'sunday' }), 'long -1'], [diff(date('2020-12-31'), date('2021-01-01'), 'year'), 'long 1'],
  [diff(date('2020-03-31'), date('2020-04-01'), 'quarter'), 'long 1'], [diff(date('2024-11-03T05:00:00Z'), date('2024-11-03T07:00:00Z'), 'hour', { timezone: NY }), 'long 2'],
  [diff(D, D, 'millisecond'), 'long 0'], [diff(D, D, 'hour', { startOfWeek: 1 }), 'long 0'], [diff(D, D, 'week', { startOfWeek: 1 }), 5439015], [diff(D, D, 'week', { startOfWeek: 'FRIDIE' }), 5439016],
  [diff('x', D, 'day'), 5166307], [diff(D, 1, 'day'), 5166307], [diff(D, D, 5), 5439013], [diff(D, D, 'decade'), 9], [diff(null, 'x', 'day', { timezone: 'UTC' }), 'null'], [diff(D, D, null), 'null'],
  [diff(D, D, 'day', { timezone: 1 }), 40517], [{ $dateDiff: 1 }, 5166301], [{ $dateDiff: { x: 1 } }, 5166302],
  [{ $dateDiff: { endDate: D, unit: 'day' } }, 5166303], [{ $dateDiff: { startDate: D, unit: 'day' } }, 5166304],
  [{ $dateDiff: { startDate: D, endDate: D } }, 5166305]
]))

const trunc = (at: unknown, unit: unknown, rest: object = {}): unknown => ({ $dateTrunc: { date: at, unit, ...rest } })

t.test('dates cut to bins', async t => check(t, [
  [trunc(date('2020-11-01T18:23:36Z'), 'hour', { binSize: 2 }), '2020-11-01T18:00:00.000Z'], [trunc(date('2021-12-01T18:23:36Z'), 'hour', { binSize: 4, timezone: NY, startOfWeek: 'IGNORED' }), '2021-12-01T17:00:00.000Z'],
  [trunc(date('2021-02-15T18:23:36Z'), 'week'), '2021-02-14T00:00:00.000Z'], [trunc(date('2000-01-30T18:00:00Z'), 'week', { binSize: 2, timezone: NY, startOfWeek: 'mon' }), '2000-01-17T05:00:00.000Z'],
  [trunc(date('2020-01-30T18:59:00Z'), 'minute', { binSize: dec('15') }), '2020-01-30T18:45:00.000Z'], [trunc(date('1999-12-31T23:59:59Z'), 'month', { binSize: 5 }), '1999-08-01T00:00:00.000Z'],
  [trunc(date('2021-11-07T12:00:00Z'), 'day', { timezone: NY }), '2021-11-07T04:00:00.000Z'], [trunc(date('2021-03-14T12:00:00Z'), 'day', { timezone: NY }), '2021-03-14T05:00:00.000Z'],
  [trunc(new Timestamp(1350336377, 0), 'second', { binSize: 10 }), '2012-10-15T21:26:10.000Z'], [trunc('string', 'hour'), 5439012], [trunc(D, 'century'), 9], [trunc('$x', 'century'), 9], [trunc(D, 'hour', { binSize: 0 }), 5439018],
  [trunc(D, 'hour', { binSize: 2.5 }), 5439017], [trunc(D, 'hour', { binSize: null }), 'null'], [trunc(D, 'week', { startOfWeek: null }), 'null'], [trunc(1, '$x', { binSize: '$y' }), 'null', { y: '' }], [trunc('$x', 'hour', { binSize: '' }), 5439017],
  [{ $dateTrunc: 'A' }, 5439007],
  [{ $dateTrunc: { endDate: 1 } }, 5439008], [{ $dateTrunc: { unit: 'week' } }, 5439009],
  [{ $dateTrunc: { date: D } }, 5439010], [trunc(D, 'year', { binSize: 200000000000n }), 5439006]
]))
