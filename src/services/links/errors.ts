import { catalogue } from '../kit.js'

export const LinkError = catalogue('url', {
  LINK_NOT_FOUND: { status: 404, text: 'Link not found.' },
  LINK_EXPIRED: { status: 410, text: 'This link has expired.' },
  LINK_BLOCKED: { status: 410, text: 'This link has been blocked.' },
  // The platform fixes the message of every duplicate.
  CODE_TAKEN: { status: 409, text: 'Duplicate document.' },
  CODE_RESERVED: { status: 422, text: 'This code is reserved.' },
  INVALID_CODE: { status: 422, text: 'A code has 3 to 64 letters, digits, - and _, and begins with a letter or digit.' },
  INVALID_TARGET_URL: { status: 422, text: (field: string) => `${field} must be an http or https address without credentials.` },
  LOOP_DETECTED: { status: 422, text: (field: string) => `${field} leads back to a short link.` },
  LINK_LIMIT_REACHED: { status: 409, text: 'An account holds 1,000,000 links.' },
  TOO_MANY_MISSES: { status: 429, text: 'Too many unknown codes.' }
})
