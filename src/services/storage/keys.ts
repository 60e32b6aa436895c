import { StorageError } from './errors.js'

const MAX_KEY_BYTES = 1_024
const MAX_SEGMENT_BYTES = 200

const isSegment = (segment: string) => segment !== '' && segment !== '.' && segment !== '..' && Buffer.byteLength(segment) <= MAX_SEGMENT_BYTES

/** @throws STORAGE_KEY_INVALID for what is no plain path below the storage */
export function checkKey (key: string): string {
  // eslint-disable-next-line no-control-regex
  const bad = /[\x00-\x1f\x7f\\]/.test(key) || Buffer.byteLength(key) > MAX_KEY_BYTES || !key.split('/').every(isSegment)
  if (bad) throw StorageError.STORAGE_KEY_INVALID()
  return key
}

/** `Content-Disposition` for a name in any script. */
export function dispositionOf (filename: string | undefined, inline = false): string {
  const kind = inline ? 'inline' : 'attachment'
  if (filename === undefined) return kind
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(filename).replaceAll(/['()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`
}

/**
 * Reads a `Range` header for an object of `size` bytes: one range, null when there is none that counts,
 * `unsatisfiable` when it lies outside.
 */
export function rangeOf (header: string | undefined, size: number): { start: number, end: number } | null | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return null
  const [, first = '', last = ''] = match
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (first !== '' && last !== '' && Number(last) < start) return null
  return start >= size || (first === '' && Number(last) === 0) ? 'unsatisfiable' : { start, end }
}
