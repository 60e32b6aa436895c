import { formatDecimal } from './decimal128.js'
import { Binary, BsonDate, BsonSymbol, Code, DbPointer, Decimal128, Doc, Double, Int32, MinKey, ObjectId, Regex, Timestamp, Undefined } from './types.js'
import type { Maybe, Value } from './types.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')

/** A value as MongoDB prints it in error texts and index bounds: { email: "x" }, ObjectId('...'), new Date(0), 1.0. */
export function display (v: Maybe): string {
  if (v === undefined) return 'MISSING'
  if (v === null) return 'null'
  if (typeof v === 'string') return `"${v}"`
  if (typeof v === 'boolean' || typeof v === 'bigint') return String(v)
  if (v instanceof Int32) return String(v.value)
  if (v instanceof Double) return displayDouble(v.value)
  if (v instanceof Doc) return displayDocument(v)
  if (Array.isArray(v)) return v.length === 0 ? '[]' : `[ ${v.map(display).join(', ')} ]`
  return displayRare(v)
}

function displayDocument (doc: Doc): string {
  const fields = Array.from(doc, ([key, value]) => `${key}: ${display(value)}`)
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

/** As the server does it: C's %.16g, and a fraction whenever there is no point (1e+20.0). */
export function displayDouble (value: number): string {
  const text = general(value)
  return text.includes('.') ? text : `${text}.0`
}

function general (value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, power] = value.toExponential(15).split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 16) return trimmed(value.toFixed(15 - exponent))
  return `${trimmed(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

const trimmed = (text: string): string => text.includes('.') ? text.replace(/\.?0+$/, '') : text

function displayRare (v: Value): string {
  if (v instanceof ObjectId) return `ObjectId('${v.toHex()}')`
  if (v instanceof BsonDate) return `new Date(${displayMilliseconds(v.ms)})`
  if (v instanceof Decimal128) return formatDecimal(v)
  if (v instanceof Timestamp) return `Timestamp(${v.seconds}, ${v.increment})`
  if (v instanceof Binary) return displayBinary(v)
  if (v instanceof Regex) return `/${v.pattern}/${v.options}`
  if (v instanceof Code) return v.scope === undefined ? v.code : `CodeWScope( ${v.code}, ${display(v.scope)})`
  if (v instanceof BsonSymbol) return `"${v.value}"`
  if (v instanceof DbPointer) return `DBRef('${v.namespace}',${hex(v.id)})`
  if (v instanceof Undefined) return 'undefined'
  return v instanceof MinKey ? 'MinKey' : 'MaxKey'
}

const displayMilliseconds = (ms: number): string => ms >= 2 ** 63 ? '9223372036854775807' : String(BigInt(Math.trunc(ms)))

function displayBinary (v: Binary): string {
  const text = hex(v.bytes)
  if (v.subtype === 4 && v.bytes.length === 16) return `UUID("${text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}")`
  return `BinData(${v.subtype}, ${text.toUpperCase()})`
}
