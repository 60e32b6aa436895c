import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** AES-256-GCM under a key derived from ENCRYPTION_KEY: `v1.<nonce>.<tag>.<text>`, base64url. */
export function createSealing (secret: string) {
  const key = Buffer.from(hkdfSync('sha256', secret, 'internal-api', 'encryption', 32))
  return {
    seal (text: string): string {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return ['v1', nonce, cipher.getAuthTag(), sealed].map(part => typeof part === 'string' ? part : part.toString('base64url')).join('.')
    },
    /** @throws when the text was changed or sealed under another key */
    unseal (sealed: string): string {
      const [, nonce, tag, text] = sealed.split('.').map(part => Buffer.from(part, 'base64url'))
      const decipher = createDecipheriv('aes-256-gcm', key, nonce!)
      decipher.setAuthTag(tag!)
      return Buffer.concat([decipher.update(text!), decipher.final()]).toString('utf8')
    }
  }
}
