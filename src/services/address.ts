import ipaddr from 'ipaddr.js'

/** The key under which a client address is counted: IPv4 as it is, IPv6 by its /64, for one household holds a whole one. */
export function addressKey (ip: string): string {
  if (!ip.includes(':')) return ip
  try {
    const address = ipaddr.process(ip)
    if (address.kind() === 'ipv4') return address.toString()
    return (address as ipaddr.IPv6).parts.slice(0, 4).map(part => part.toString(16)).join(':') + '::/64'
  } catch {
    return ip
  }
}
