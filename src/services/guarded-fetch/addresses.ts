import ipaddr from 'ipaddr.js'

const cidrs = (list: readonly string[]) => list.map(text => ipaddr.parseCIDR(text))

const REFUSED_V4 = cidrs([
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24',
  '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4',
  '240.0.0.0/4'
])

// Of IPv6 only 2000::/3 is handed out to the public internet. What lies outside it - ::1, mapped IPv4, NAT64, fe80, fc00, multicast,
// ranges of the future - is refused without being listed.
const PUBLIC_V6 = cidrs(['2000::/3'])
const REFUSED_V6 = cidrs(['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'])

type Address = ReturnType<typeof ipaddr.parse>

const within = (address: Address, ranges: ReturnType<typeof cidrs>) =>
  ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits))

/** Is this text an address (not a name) of the public internet? Zone ids, mapped and tunnelled forms are not. */
export function isPublicAddress (text: string): boolean {
  if (text.includes('%') || !ipaddr.isValid(text)) return false
  const address = ipaddr.parse(text)
  if (address.kind() === 'ipv4') return ipaddr.IPv4.isValidFourPartDecimal(text) && !within(address, REFUSED_V4)
  return within(address, PUBLIC_V6) && !within(address, REFUSED_V6)
}

const INNER_NAME = /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|lan|home\.arpa|onion)$/
const METADATA_NAME = /^metadata\./

/** Names that mean something inside, refused before anybody is asked for their address. `name` is lower case, without a trailing dot. */
export const isInnerName = (name: string): boolean => INNER_NAME.test(name) || METADATA_NAME.test(name)
