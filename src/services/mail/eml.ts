import { randomBytes } from 'node:crypto'
import type { MailAddress, MailAttachment, OutgoingMail } from './types.js'

const LINE = '\r\n'

const isPlain = (text: string) => /^[\x20-\x7e]*$/.test(text)
const oneLine = (text: string) => text.replaceAll(/[\r\n]+/g, ' ')
const encoded = (text: string) => isPlain(text) ? text : `=?utf-8?B?${Buffer.from(oneLine(text)).toString('base64')}?=`
const folded = (bytes: Uint8Array | string) => (Buffer.from(bytes).toString('base64').match(/.{1,76}/g) ?? []).join(LINE)

const address = ({ email, name }: MailAddress) => name === undefined ? oneLine(email) : `${encoded(JSON.stringify(oneLine(name)))} <${oneLine(email)}>`
const addresses = (name: string, list: readonly MailAddress[] | undefined) =>
  list === undefined || list.length === 0 ? [] : [`${name}: ${list.map(address).join(', ')}`]

const textPart = (type: string, text: string) =>
  [`Content-Type: ${type}; charset=utf-8`, 'Content-Transfer-Encoding: base64', '', folded(text)].join(LINE)

function filePart (file: MailAttachment): string {
  const disposition = file.contentId === undefined ? 'attachment' : 'inline'
  return [
    `Content-Type: ${oneLine(file.type)}`,
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: ${disposition}; filename*=utf-8''${encodeURIComponent(file.filename)}`,
    ...(file.contentId === undefined ? [] : [`Content-ID: <${oneLine(file.contentId)}>`]),
    '',
    folded(file.content)
  ].join(LINE)
}

function multipart (kind: string, parts: readonly string[]): string {
  const border = `part-${randomBytes(12).toString('hex')}`
  const body = parts.map(part => `--${border}${LINE}${part}${LINE}`).join('')
  return `Content-Type: multipart/${kind}; boundary="${border}"${LINE}${LINE}${body}--${border}--${LINE}`
}

/** The mail as a file that mail programs open. */
export function toEml (mail: OutgoingMail, from: MailAddress, messageId: string, at: Date): string {
  const own = Object.entries(mail.headers ?? {}).map(([name, value]) => `${name.replaceAll(/[^\w-]/g, '')}: ${encoded(oneLine(value))}`)
  const head = [
    `From: ${address(mail.from ?? from)}`,
    ...addresses('To', mail.to), ...addresses('Cc', mail.cc), ...addresses('Bcc', mail.bcc),
    ...addresses('Reply-To', mail.replyTo === undefined ? [] : [mail.replyTo]),
    `Subject: ${encoded(oneLine(mail.subject))}`,
    `Date: ${at.toUTCString()}`,
    `Message-ID: <${messageId}@twin.invalid>`,
    ...own,
    'MIME-Version: 1.0'
  ]
  const texts = multipart('alternative', [
    ...(mail.text === undefined ? [] : [textPart('text/plain', mail.text)]),
    ...(mail.html === undefined ? [] : [textPart('text/html', mail.html)])
  ])
  const files = mail.attachments ?? []
  return head.join(LINE) + LINE + (files.length === 0 ? texts : multipart('mixed', [texts, ...files.map(filePart)]))
}
