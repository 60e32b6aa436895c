import fc from 'fast-check'
import t from 'tap'
import { sniff } from '../../src/services/storage/index.js'

const bytes = (...parts: Array<string | number[] | Buffer>) => Buffer.concat(parts.map(part => typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part)))
const number = (size: number) => (value: number, little = false) => {
  const data = Buffer.alloc(size)
  if (little) data.writeUIntLE(value, 0, size)
  else data.writeUIntBE(value, 0, size)
  return data
}
const u16 = number(2)
const u32 = number(4)
const u24 = (value: number) => number(3)(value, true)
const png = (width: number, height: number) => bytes('\x89PNG\r\n\x1a\n', u32(13), 'IHDR', u32(width), u32(height), [8, 6, 0, 0, 0])
const jpeg = (width: number, height: number, before = 0) => bytes(
  [0xff, 0xd8, 0xff, 0xe0], u16(16), 'JFIF\0', Buffer.alloc(9), [0xff, 0xe1], u16(before + 2), Buffer.alloc(before),
  [0xff, 0xc0], u16(17), [8], u16(height), u16(width), Buffer.alloc(10)
)
const webp = (form: string, inner: Buffer) => bytes('RIFF', u32(100, true), 'WEBP', form, u32(50, true), inner, Buffer.alloc(20))
const entry = (name: string, data = '') => bytes('PK\x03\x04', Buffer.alloc(26), name, data)

t.test('the type is what the bytes say', async t => {
  const cases: Array<[Buffer, string]> = [
    [bytes('%PDF-1.7'), 'application/pdf'],
    [bytes('{\\rtf1'), 'application/rtf'],
    [bytes('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), 'application/x-ole-storage'],
    [bytes('RIFF', u32(4), 'WAVE'), 'audio/wav'],
    [bytes('ID3\x04'), 'audio/mpeg'],
    [bytes([0xff, 0xfb, 0x90]), 'audio/mpeg'],
    [bytes('OggS'), 'audio/ogg'],
    [bytes(u32(24), 'ftypisom'), 'video/mp4'],
    [bytes(u32(24), 'ftypM4A '), 'audio/mp4'],
    [bytes(u32(24), 'ftypqt  '), 'video/quicktime'],
    [bytes('\x1aE\xdf\xa3\x01', Buffer.alloc(20), 'webm'), 'video/webm'],
    [bytes('\x1aE\xdf\xa3\x01', Buffer.alloc(20), 'matroska'), 'video/x-matroska'],
    [entry('a.txt'), 'application/zip'],
    [bytes(entry('[Content_Types].xml', 'x'.repeat(300)), entry('word/document.xml')), 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    [bytes(entry('[Content_Types].xml'), entry('xl/workbook.xml')), 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    [entry('mimetype', 'application/vnd.oasis.opendocument.text'), 'application/vnd.oasis.opendocument.text'],
    [bytes('\x1f\x8b\x08'), 'application/gzip'],
    [bytes('wOF2'), 'font/woff2'],
    [bytes('MZ\x90'), 'application/x-msdownload'],
    [bytes('\x7fELF'), 'application/x-elf'],
    [bytes('#!/bin/sh\n'), 'text/x-shellscript'],
    [bytes('name,phone\nAda,1\n'), 'text/plain'],
    [Buffer.from('Grüße\n'), 'text/plain'],
    [bytes('{"a": 1}'), 'application/json'],
    [bytes('[1, 2'), 'application/json'],
    [bytes('  <!DOCTYPE html><p>'), 'text/html'],
    [bytes('<script>alert(1)</script>'), 'text/html'],
    [bytes('<?xml version="1.0"?><html xmlns="x">'), 'text/html'],
    [bytes('<?xml version="1.0"?><feed>'), 'application/xml'],
    [bytes('<?xml version="1.0"?>\n<!-- c -->\n<svg xmlns="x">'), 'image/svg+xml'],
    [bytes('<svg/onload=alert(1)>'), 'image/svg+xml'],
    [Buffer.from('\ufeff<html>'), 'text/html']
  ]
  for (const [data, type] of cases) t.equal(sniff(data)?.type, type, type)
})

t.test('unknown bytes have no type', async t => {
  for (const data of [Buffer.alloc(0), bytes([0xfe, 0x00, 0x13]), bytes('text\0with zero'), bytes([0xc3, 0x28, 0x41])]) t.equal(sniff(data), null)
  const cut = Buffer.from('ü'.repeat(3_000)).subarray(0, 4_095)
  t.equal(sniff(cut)?.type, 'text/plain', 'a character that is cut at the end is no harm')
})

t.test('images carry the size that their header declares', async t => {
  t.match(sniff(png(640, 480)), { type: 'image/png', width: 640, height: 480, kind: 'image' })
  t.match(sniff(png(50_000, 50_000)), { width: 50_000, height: 50_000 })
  t.match(sniff(jpeg(1_024, 768)), { type: 'image/jpeg', width: 1_024, height: 768 })
  t.match(sniff(jpeg(1_024, 768, 60_000)), { width: 1_024, height: 768 })
  t.match(sniff(bytes('GIF89a', u16(10, true), u16(20, true))), { type: 'image/gif', width: 10, height: 20 })
  t.match(sniff(bytes('BM', Buffer.alloc(16), u32(30, true), u32(-40 >>> 0, true))), { type: 'image/bmp', width: 30, height: 40 })
  t.match(sniff(webp('VP8 ', bytes([0, 0, 0, 0x9d, 0x01, 0x2a], u16(300, true), u16(200, true)))), { type: 'image/webp', width: 300, height: 200 })
  t.match(sniff(webp('VP8L', bytes([0x2f], u32((99) | (49 << 14), true)))), { width: 100, height: 50 })
  t.match(sniff(webp('VP8X', bytes([0, 0, 0, 0], u24(399), u24(299)))), { width: 400, height: 300 })
  t.match(sniff(bytes(u32(24), 'ftypavif', Buffer.alloc(40), 'ispe', u32(0), u32(16), u32(16), 'ispe', u32(0), u32(800), u32(600))), { type: 'image/avif', width: 800, height: 600 })
  t.match(sniff(bytes('\0\0\x01\0\x01\0\0\0')), { type: 'image/x-icon', width: 256, height: 256 })
  t.strictSame(sniff(bytes('\x89PNG\r\n\x1a\n')), { type: 'image/png', extension: 'png', kind: 'image' }, 'a header that is cut has no size')
})

t.test('no bytes make it fail or slow', async t => {
  const heads = [png(1, 1), jpeg(1, 1), webp('VP8 ', Buffer.alloc(10)), bytes(u32(24), 'ftypavif'), entry('a'), bytes('<svg')]
  fc.assert(fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 200 }), fc.nat(60), (head, tail, cut) => {
    sniff(Buffer.concat([head.subarray(0, cut), tail]))
    return true
  }), { numRuns: 2_000 })
  const started = performance.now()
  for (const text of ['<'.repeat(50_000), '<svg'.repeat(20_000), '{'.repeat(50_000), '\xff'.repeat(50_000), 'PK\x03\x04'.repeat(10_000)]) sniff(Buffer.from(text, 'latin1'))
  t.ok(performance.now() - started < 100)
})
