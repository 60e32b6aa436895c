import type { MailDataRequired, MailService } from '@sendgrid/mail'
import { badAnswer, type HttpClient } from '../http/index.js'
import { trimmed, type CallContext } from '../provider.js'
import type { MailAddress, OutgoingMail } from './types.js'

export type RealMailOptions = {
  apiKey: string
  /** default https://api.sendgrid.com */
  baseUrl?: string
  from: MailAddress
  http: HttpClient
  /** the key of the account's sub-user, when it has one */
  keyOf?: (account: string) => Promise<string | null>
}

type Outgoing = { method: 'POST', url: string, body: unknown }

export const SENDGRID = 'https://api.sendgrid.com'

/** The library shapes and checks the mail, our client carries it: one breaker, time limit and log for all calls out. */
export function createRealMail (options: RealMailOptions) {
  const base = trimmed(options.baseUrl ?? SENDGRID)

  async function carry (request: Outgoing, key: string, context: CallContext): Promise<[{ messageId: string }, object]> {
    const answer = await options.http.call({
      upstream: 'sendgrid',
      url: base + request.url,
      method: request.method,
      headers: { authorization: `Bearer ${key}` },
      json: request.body,
      timeoutMs: 10_000,
      maxBytes: 65_536,
      requestId: context.requestId,
      signal: context.signal
    })
    const messageId = answer.headers['x-message-id']
    if (messageId === undefined) throw badAnswer('sendgrid', 'no message id')
    return [{ messageId }, {}]
  }

  return {
    async send (mail: OutgoingMail, context: CallContext = {}): Promise<{ messageId: string }> {
      const key = (mail.account === undefined ? null : await options.keyOf?.(mail.account)) ?? options.apiKey
      const { default: library } = await import('@sendgrid/mail')
      // one of its own for each call: the library keeps key and transport in the object
      const service = new (library as unknown as { MailService: new () => MailService }).MailService()
      const transport = { request: (request: Outgoing) => carry(request, key, context) }
      service.setClient(transport as unknown as Parameters<MailService['setClient']>[0])
      const [{ messageId }] = await service.send(dataOf(mail, options.from)) as unknown as [{ messageId: string }, object]
      return { messageId }
    }
  }
}

function dataOf (mail: OutgoingMail, from: MailAddress): MailDataRequired {
  const content = [
    ...(mail.text === undefined ? [] : [{ type: 'text/plain', value: mail.text }]),
    ...(mail.html === undefined ? [] : [{ type: 'text/html', value: mail.html }])
  ]
  const several = (list: readonly MailAddress[] | undefined) => list === undefined || list.length === 0 ? undefined : [...list]
  return {
    from: mail.from ?? from,
    to: [...mail.to],
    cc: several(mail.cc),
    bcc: several(mail.bcc),
    replyTo: mail.replyTo,
    subject: mail.subject,
    content: content as MailDataRequired['content'] & [],
    headers: mail.headers === undefined ? undefined : { ...mail.headers },
    customArgs: mail.ref === undefined ? undefined : { ref: mail.ref },
    attachments: mail.attachments?.map(file => ({
      filename: file.filename,
      type: file.type,
      content: Buffer.from(file.content).toString('base64'),
      disposition: file.contentId === undefined ? 'attachment' : 'inline',
      content_id: file.contentId
    }))
  } as MailDataRequired
}
