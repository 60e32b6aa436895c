export type PixelSize = { width: number, height: number }

type Reader = (data: Buffer) => PixelSize | null

/** JPEG: walks from marker to marker until a frame header. */
function jpeg (data: Buffer): PixelSize | null {
  let at = 2
  while (at + 9 < data.length) {
    if (data[at] !== 0xff) return null
    const marker = data[at + 1] ?? 0
    if (marker === 0xff) { at++; continue }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return { height: data.readUInt16BE(at + 5), width: data.readUInt16BE(at + 7) }
    at += 2 + data.readUInt16BE(at + 2)
  }
  return null
}

/** WEBP in its three forms: lossy, lossless, extended. */
function webp (data: Buffer): PixelSize | null {
  if (data.length < 30) return null
  const form = data.toString('latin1', 12, 16)
  if (form === 'VP8 ') return { width: data.readUInt16LE(26) & 0x3fff, height: data.readUInt16LE(28) & 0x3fff }
  if (form === 'VP8X') return { width: data.readUIntLE(24, 3) + 1, height: data.readUIntLE(27, 3) + 1 }
  if (form !== 'VP8L') return null
  const bits = data.readUInt32LE(21)
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
}

/** AVIF and HEIC: the largest image that an `ispe` box names. */
function isobmff (data: Buffer): PixelSize | null {
  let largest: PixelSize | null = null
  for (let at = data.indexOf('ispe'); at !== -1 && at + 16 <= data.length; at = data.indexOf('ispe', at + 4)) {
    const size = { width: data.readUInt32BE(at + 8), height: data.readUInt32BE(at + 12) }
    if (largest === null || size.width * size.height > largest.width * largest.height) largest = size
  }
  return largest
}

const READERS: Readonly<Record<string, Reader>> = {
  'image/png': data => data.length < 24 ? null : { width: data.readUInt32BE(16), height: data.readUInt32BE(20) },
  'image/gif': data => data.length < 10 ? null : { width: data.readUInt16LE(6), height: data.readUInt16LE(8) },
  'image/bmp': data => data.length < 26 ? null : { width: Math.abs(data.readInt32LE(18)), height: Math.abs(data.readInt32LE(22)) },
  'image/x-icon': data => data.length < 8 ? null : { width: (data[6] ?? 0) || 256, height: (data[7] ?? 0) || 256 },
  'image/jpeg': jpeg,
  'image/webp': webp,
  'image/avif': isobmff,
  'image/heic': isobmff
}

/** Width and height that the header declares, null when these bytes do not hold them. Nothing is unpacked. */
export const imageSize = (type: string, data: Buffer): PixelSize | null => READERS[type]?.(data) ?? null
