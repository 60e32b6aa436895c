import { isIP } from 'node:net'
import { isInnerName, isPublicAddress } from './addresses.js'
import { TargetError } from './errors.js'

const MAX_URL = 2_048
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0020\u007f-\u009f\\#\u2028\u2029]/
const ENCODED_CONTROL = /%(?:0[0-9a-f]|1[0-9a-f]|7f)/i
const PORTS: readonly number[] = [80, 443]

export type TargetRules = {
  /** `host:port` that are exempt from every check; for tests and development */
  allow: ReadonlySet<string>
  /** refuse `http:` */
  httpsOnly?: boolean
  /** refuse hosts that are addresses */
  namesOnly?: boolean
}

export type Target = {
  url: URL
  /** name or address, lower case, without brackets and trailing dot */
  host: string
  port: number
  isAddress: boolean
  /** named in `allow` */
  exempt: boolean
}

const invalid = (why: string) => TargetError.INVALID_TARGET_URL().with({ info: why })

function parse (text: string): URL {
  if (text.length > MAX_URL) throw invalid(`longer than ${MAX_URL} characters`)
  if (FORBIDDEN.test(text)) throw invalid('has a space, control character, backslash or fragment')
  if (!/^https?:\/\//i.test(text)) throw invalid('only http and https are called')
  if (!URL.canParse(text)) throw invalid('not an address')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '' || /^https?:\/\/[^/?]*@/i.test(text)) throw invalid('carries credentials')
  if (ENCODED_CONTROL.test(url.pathname)) throw invalid('has a control character in its path')
  return url
}

/**
 * Reads an address that a user supplied. Number forms and full-width digits of a host become plain addresses by
 * the URL standard's own rules, so the host that is checked is the host that is called.
 * @throws INVALID_TARGET_URL by its form, TARGET_NOT_ALLOWED for inner names and addresses
 */
export function parseTarget (text: string, rules: TargetRules): Target {
  const url = parse(text)
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  const isAddress = isIP(host) !== 0
  const exempt = rules.allow.has(`${host}:${port}`)
  if (!exempt) checkForm(url, host, port, isAddress, rules)
  if (!isAddress) url.hostname = host
  return { url, host, port, isAddress, exempt }
}

function checkForm (url: URL, host: string, port: number, isAddress: boolean, rules: TargetRules) {
  if (!PORTS.includes(port)) throw invalid('only the ports 80 and 443 are called')
  if (rules.httpsOnly === true && url.protocol !== 'https:') throw invalid('only https is called')
  if (isAddress) {
    if (rules.namesOnly === true) throw invalid('the host must be a name')
    if (!isPublicAddress(host)) throw TargetError.TARGET_NOT_ALLOWED().because(`address ${host}`)
    return
  }
  if (isInnerName(host)) throw TargetError.TARGET_NOT_ALLOWED().because(`name ${host}`)
  if (!host.includes('.') || host.split('.').includes('')) throw invalid('the host must be a full name')
}
