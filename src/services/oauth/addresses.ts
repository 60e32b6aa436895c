import ipaddr from 'ipaddr.js'
import { OauthError } from './errors.js'

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number]

function read (text: string): Range {
  if (text.includes('/')) return ipaddr.parseCIDR(text)
  const address = ipaddr.process(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

const inside = (address: ipaddr.IPv4 | ipaddr.IPv6, [network, bits]: Range): boolean =>
  address.kind() === network.kind() && (address as ipaddr.IPv4).match(network as ipaddr.IPv4, bits)

/** @throws ADDRESS_INVALID for what is neither an address nor a range in CIDR notation */
export function checkRanges (ranges: readonly string[]): string[] {
  for (const text of ranges) {
    try {
      read(text)
    } catch {
      throw OauthError.ADDRESS_INVALID(text)
    }
  }
  return [...ranges]
}

/** An empty list lets every address in. */
export function allowsAddress (ranges: readonly string[], ip: string): boolean {
  if (ranges.length === 0) return true
  if (!ipaddr.isValid(ip)) return false
  const address = ipaddr.process(ip)
  return ranges.some(text => inside(address, read(text)))
}

/** Does every range of `inner` lie in one of `outer`? An empty list is the whole world. */
export function rangesWithin (inner: readonly string[], outer: readonly string[]): boolean {
  if (outer.length === 0) return true
  return inner.length > 0 && inner.map(read).every(([network, bits]) => outer.map(read).some(range => bits >= range[1] && inside(network, range)))
}
