import type { FileRecord } from '../../schemas/shared.js'
import { sniff, type FileKind, type Sniffed } from '../storage/index.js'
import { SharedError } from './errors.js'

type Purpose = FileRecord['purpose']
type Rule = { allows (type: string, kind: FileKind): boolean, maxBytes: number, maxSide?: number, mayBePublic: boolean }

const MB = 1_048_576
const PHOTOS = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif'])
const DATA = new Set(['text/csv', 'text/tab-separated-values', 'text/plain', 'application/json'])
/** Types whose bytes a browser could run, or that a machine could. */
const ACTIVE = new Set([
  'text/html', 'image/svg+xml', 'application/xml', 'application/x-msdownload', 'application/x-elf', 'application/x-mach-binary', 'application/java-vm',
  'application/wasm', 'text/x-shellscript'
])
/** What a browser may show in place: it holds no script. */
const SHOWN = new Set([...PHOTOS, 'image/avif', 'image/bmp', 'audio/mpeg', 'audio/ogg', 'audio/wav', 'audio/mp4', 'video/mp4', 'video/webm', 'application/pdf', 'text/plain'])

const isOffice = (type: string) => /officedocument|opendocument|msword|ms-excel|ms-powerpoint|x-ole-storage|application\/rtf/.test(type)
const isImage = (type: string, kind: FileKind) => kind === 'image' && !ACTIVE.has(type)
const attachment: Rule = {
  allows: (type, kind) => isImage(type, kind) || kind === 'audio' || isOffice(type) || DATA.has(type) ||
    ['application/pdf', 'application/zip', 'video/mp4', 'video/webm'].includes(type),
  maxBytes: 25 * MB,
  mayBePublic: false
}
const photo: Rule = { allows: type => PHOTOS.has(type), maxBytes: 5 * MB, maxSide: 8_000, mayBePublic: true }
const made: Rule = { allows: () => true, maxBytes: 1_024 * MB, mayBePublic: false }

const RULES: Readonly<Record<Purpose, Rule>> = {
  avatar: photo,
  logo: photo,
  attachment,
  message_media: attachment,
  project_file: {
    allows: (type, kind) => ['image/jpeg', 'image/png', 'image/gif', 'image/bmp', 'image/webp', 'audio/wav', 'audio/mpeg', 'application/pdf', 'application/zip'].includes(type) ||
      isOffice(type) || (kind === 'document' && DATA.has(type)),
    maxBytes: 100 * MB,
    mayBePublic: false
  },
  form_upload: { allows: type => !ACTIVE.has(type), maxBytes: 10 * MB, mayBePublic: false },
  csv_import: { allows: type => DATA.has(type), maxBytes: 50 * MB, mayBePublic: false },
  site_asset: { allows: (type, kind) => isImage(type, kind) || type === 'font/woff2' || kind === 'video', maxBytes: 50 * MB, mayBePublic: true },
  export: made,
  report: made
}

export const maxBytesOf = (purpose: Purpose): number => RULES[purpose].maxBytes
export const mayBePublic = (purpose: Purpose): boolean => RULES[purpose].mayBePublic
export const mayBeShown = (type: string): boolean => SHOWN.has(type)

const ALIASES: Readonly<Record<string, string>> = { 'image/jpg': 'image/jpeg', 'application/x-zip-compressed': 'application/zip', 'audio/mp3': 'audio/mpeg', 'application/csv': 'text/csv' }
export const canonicalType = (type: string): string => ALIASES[type] ?? type

/** One shape of bytes may honestly carry several names. */
const SAME_BYTES: Readonly<Record<string, readonly string[]>> = {
  'text/plain': ['text/csv', 'text/tab-separated-values', 'text/markdown', 'application/json'],
  'application/json': ['text/plain', 'text/csv'],
  'application/x-ole-storage': ['application/msword', 'application/vnd.ms-excel', 'application/vnd.ms-powerpoint'],
  'video/mp4': ['audio/mp4', 'video/quicktime'],
  'audio/mp4': ['video/mp4'],
  'audio/ogg': ['video/ogg', 'application/ogg']
}

const kindOf = (type: string): FileKind => {
  const [family] = type.split('/')
  if (family === 'image' || family === 'video' || family === 'audio') return family
  if (family === 'text' || isOffice(type) || type === 'application/pdf' || type === 'application/json') return 'document'
  return /zip|tar|rar|7z|bzip/.test(type) ? 'archive' : 'other'
}

/** @throws FILE_TOO_LARGE, FILE_TYPE_NOT_ALLOWED: what is declared is against the purpose */
export function checkDeclared (purpose: Purpose, declared: string, size: number, visibility: 'private' | 'public'): { type: string, kind: FileKind } {
  const rule = RULES[purpose]
  const type = canonicalType(declared)
  const kind = kindOf(type)
  if (!rule.allows(type, kind)) throw SharedError.FILE_TYPE_NOT_ALLOWED()
  if (size > rule.maxBytes) throw SharedError.FILE_TOO_LARGE().with({ data: { max_bytes: rule.maxBytes } })
  if (visibility === 'public' && !rule.mayBePublic) throw SharedError.FILE_TYPE_NOT_ALLOWED().with({ info: 'Files of this purpose are private.' })
  return { type, kind }
}

export type Judged = { type: string, kind: FileKind, width: number | null, height: number | null }

/**
 * What the bytes are, by their beginning.
 * @param declared the type that was named, null when only the bytes count
 * @throws FILE_MISMATCH, FILE_TYPE_NOT_ALLOWED
 */
export function judgeBytes (purpose: Purpose, head: Buffer, declared: string | null): Judged {
  const found = sniff(head)
  const type = resolveType(found, declared)
  const rule = RULES[purpose]
  const kind = found?.kind ?? 'other'
  if (!rule.allows(type, kind)) throw SharedError.FILE_TYPE_NOT_ALLOWED()
  const { width = null, height = null } = found ?? {}
  if (rule.maxSide !== undefined && (width === null || height === null || width > rule.maxSide || height > rule.maxSide)) {
    throw SharedError.FILE_TYPE_NOT_ALLOWED().with({ info: `An image has at most ${rule.maxSide} pixels a side.` })
  }
  return { type, kind, width, height }
}

function resolveType (found: Sniffed | null, declared: string | null): string {
  if (found === null) {
    if (declared === null) throw SharedError.FILE_TYPE_NOT_ALLOWED()
    throw SharedError.FILE_MISMATCH()
  }
  if (declared === null) return found.type
  const named = canonicalType(declared)
  if (named === found.type || SAME_BYTES[found.type]?.includes(named) === true) return named
  throw SharedError.FILE_MISMATCH().with({ data: { declared: named, found: found.type } })
}

/** A name that is only a name: no control characters, path parts or marks that turn text around. */
export function safeName (name: string): string {
  const plain = name.normalize('NFC')
    // eslint-disable-next-line no-control-regex
    .replace(/[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]/gu, '')
    .split(/[/\\]/).at(-1)!.trim().replace(/^\.+/, '')
  return plain === '' ? 'file' : plain.slice(0, 255)
}

/** The name as it stands in a storage key. */
export const keyName = (name: string): string => {
  const ascii = name.normalize('NFKD').replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|-+$/g, '')
  return ascii === '' ? 'file' : ascii.slice(-80).replace(/^[-.]+/, '') || 'file'
}
