import { catalogue } from '../kit.js'

/** Failures of calls to addresses that a user supplied. The text of a refusal never tells why, so that nothing inside can be mapped. */
export const TargetError = catalogue('guarded-fetch', {
  INVALID_TARGET_URL: { status: 422, text: 'This address cannot be called.' },
  TARGET_NOT_ALLOWED: { status: 403, text: 'This address is not allowed.' },
  PROXY_REDIRECT_REFUSED: { status: 502, text: 'The address redirects, which is not followed here.' },
  TOO_MANY_REDIRECTS: { status: 502, text: 'The address redirects too often.' },
  TARGET_UNREACHABLE: { status: 502, text: 'The address could not be reached.' },
  TARGET_BAD_RESPONSE: { status: 502, text: 'The address answered with something that is not valid HTTP.' },
  TARGET_TIMEOUT: { status: 504, text: 'The address did not answer in time.' },
  TARGET_TOO_LARGE: { status: 502, text: 'The answer of the address is too large.' }
})
