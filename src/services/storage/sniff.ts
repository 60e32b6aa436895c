import { imageSize, type PixelSize } from './image-size.js'

export type FileKind = 'image' | 'video' | 'audio' | 'document' | 'archive' | 'other'

export type Sniffed = { type: string, extension: string, kind: FileKind } & Partial<PixelSize>

/** How many bytes from the start are enough to tell the type; a JPEG may keep its pixel size behind a larger preview. */
export const SNIFF_BYTES = 4_096

type Rule = { type: string, extension: string, kind: FileKind, at?: number, magic: string }

const rule = (kind: FileKind, type: string, extension: string, magic: string, at = 0): Rule => ({ type, extension, kind, at, magic })

// magic as latin1 text
const RULES: readonly Rule[] = [
  rule('image', 'image/png', 'png', '\x89PNG\r\n\x1a\n'),
  rule('image', 'image/jpeg', 'jpg', '\xff\xd8\xff'),
  rule('image', 'image/gif', 'gif', 'GIF87a'),
  rule('image', 'image/gif', 'gif', 'GIF89a'),
  rule('image', 'image/bmp', 'bmp', 'BM'),
  rule('image', 'image/tiff', 'tif', 'II*\0'),
  rule('image', 'image/tiff', 'tif', 'MM\0*'),
  rule('image', 'image/x-icon', 'ico', '\0\0\x01\0'),
  rule('document', 'application/pdf', 'pdf', '%PDF-'),
  rule('document', 'application/rtf', 'rtf', '{\\rtf'),
  rule('document', 'application/x-ole-storage', 'doc', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
  rule('audio', 'audio/mpeg', 'mp3', 'ID3'),
  rule('audio', 'audio/ogg', 'ogg', 'OggS'),
  rule('audio', 'audio/flac', 'flac', 'fLaC'),
  rule('archive', 'application/gzip', 'gz', '\x1f\x8b'),
  rule('archive', 'application/x-7z-compressed', '7z', '7z\xbc\xaf\x27\x1c'),
  rule('archive', 'application/vnd.rar', 'rar', 'Rar!\x1a\x07'),
  rule('archive', 'application/x-bzip2', 'bz2', 'BZh'),
  rule('archive', 'application/x-xz', 'xz', '\xfd7zXZ\0'),
  rule('archive', 'application/x-tar', 'tar', 'ustar', 257),
  rule('other', 'font/woff2', 'woff2', 'wOF2'),
  rule('other', 'font/woff', 'woff', 'wOFF'),
  rule('other', 'font/otf', 'otf', 'OTTO'),
  rule('other', 'font/ttf', 'ttf', '\0\x01\0\0\0'),
  rule('other', 'application/x-msdownload', 'exe', 'MZ'),
  rule('other', 'application/x-elf', 'elf', '\x7fELF'),
  rule('other', 'application/x-mach-binary', 'macho', '\xcf\xfa\xed\xfe'),
  rule('other', 'application/x-mach-binary', 'macho', '\xce\xfa\xed\xfe'),
  rule('other', 'application/java-vm', 'class', '\xca\xfe\xba\xbe'),
  rule('other', 'application/wasm', 'wasm', '\0asm'),
  rule('other', 'text/x-shellscript', 'sh', '#!')
]

const OFFICE = 'application/vnd.openxmlformats-officedocument.'
/** Of ZIP-like documents: how the name of an entry, and what follows it, begins. */
const PACKED: ReadonlyArray<readonly [string, string, string]> = [
  ['mimetypeapplication/vnd.oasis.opendocument.text', 'application/vnd.oasis.opendocument.text', 'odt'],
  ['mimetypeapplication/vnd.oasis.opendocument.spreadsheet', 'application/vnd.oasis.opendocument.spreadsheet', 'ods'],
  ['mimetypeapplication/vnd.oasis.opendocument.presentation', 'application/vnd.oasis.opendocument.presentation', 'odp'],
  ['mimetypeapplication/epub+zip', 'application/epub+zip', 'epub'],
  ['word/', `${OFFICE}wordprocessingml.document`, 'docx'],
  ['xl/', `${OFFICE}spreadsheetml.sheet`, 'xlsx'],
  ['ppt/', `${OFFICE}presentationml.presentation`, 'pptx']
]
const ENTRY = 'PK\x03\x04'
const ENTRY_NAME_AT = 30

const BRANDS: ReadonlyArray<readonly [RegExp, FileKind, string, string]> = [
  [/^(?:avif|avis)$/, 'image', 'image/avif', 'avif'],
  [/^(?:heic|heix|heim|heis|hevc|mif1|msf1)$/, 'image', 'image/heic', 'heic'],
  [/^M4[AB] $/, 'audio', 'audio/mp4', 'm4a'],
  [/^qt {2}$/, 'video', 'video/quicktime', 'mov'],
  [/^3g[gp]/, 'video', 'video/3gpp', '3gp'],
  [/./s, 'video', 'video/mp4', 'mp4']
]

/**
 * The type of a file by what its first bytes say, whatever its name claims; null when they say nothing.
 * Images carry their size in pixels when it can be read.
 */
export function sniff (bytes: Uint8Array): Sniffed | null {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (data.length === 0) return null
  const head = data.subarray(0, SNIFF_BYTES).toString('latin1')
  const found = container(head) ?? byRule(head) ?? text(data.subarray(0, SNIFF_BYTES))
  if (found === null || found.kind !== 'image') return found
  return { ...found, ...imageSize(found.type, data) }
}

function byRule (head: string): Sniffed | null {
  const found = RULES.find(({ at = 0, magic }) => head.startsWith(magic, at))
  if (found !== undefined) return { type: found.type, extension: found.extension, kind: found.kind }
  // an MPEG audio frame: eleven set bits, then a layer that exists
  return /^\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]/.test(head) ? { type: 'audio/mpeg', extension: 'mp3', kind: 'audio' } : null
}

/** Formats that share one outer shape and tell their type inside it. */
function container (head: string): Sniffed | null {
  if (head.startsWith('RIFF')) {
    const inner = head.slice(8, 12)
    if (inner === 'WEBP') return { type: 'image/webp', extension: 'webp', kind: 'image' }
    if (inner === 'WAVE') return { type: 'audio/wav', extension: 'wav', kind: 'audio' }
    return inner === 'AVI ' ? { type: 'video/x-msvideo', extension: 'avi', kind: 'video' } : null
  }
  if (head.startsWith('ftyp', 4)) {
    const [, kind, type, extension] = BRANDS.find(([brand]) => brand.test(head.slice(8, 12))) ?? ['', 'video', 'video/mp4', 'mp4']
    return { type, extension, kind }
  }
  if (head.startsWith('\x1aE\xdf\xa3')) {
    const webm = head.slice(0, 64).includes('webm')
    return { type: webm ? 'video/webm' : 'video/x-matroska', extension: webm ? 'webm' : 'mkv', kind: 'video' }
  }
  return head.startsWith(ENTRY) || head.startsWith('PK\x05\x06') ? packed(head) : null
}

function packed (head: string): Sniffed {
  for (let at = head.indexOf(ENTRY); at !== -1; at = head.indexOf(ENTRY, at + 4)) {
    const office = PACKED.find(([name]) => head.startsWith(name, at + ENTRY_NAME_AT))
    if (office !== undefined) return { type: office[1], extension: office[2], kind: 'document' }
  }
  return { type: 'application/zip', extension: 'zip', kind: 'archive' }
}

/** Text is UTF-8 without control characters; what begins like markup is never plain text. */
function text (data: Buffer): Sniffed | null {
  let decoded: string
  try {
    decoded = new TextDecoder('utf-8', { fatal: true }).decode(data, { stream: true })
  } catch {
    return null
  }
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(decoded)) return null
  const start = decoded.trimStart().toLowerCase()
  if (start.startsWith('<')) return markup(start)
  if (/^[[{]/.test(start) && /[\]}"\d\s,el]$/.test(start.trimEnd())) return { type: 'application/json', extension: 'json', kind: 'document' }
  return { type: 'text/plain', extension: 'txt', kind: 'document' }
}

function markup (start: string): Sniffed {
  if (/<svg[\s>/]/.test(start)) return { type: 'image/svg+xml', extension: 'svg', kind: 'image' }
  if (start.startsWith('<?xml') && !/<(?:!doctype\s+html|html|script|body)[\s>]/.test(start)) return { type: 'application/xml', extension: 'xml', kind: 'document' }
  return { type: 'text/html', extension: 'html', kind: 'document' }
}
