import { BlockList, isIP, isIPv6 } from 'node:net';

/** Addresses on this machine or in private networks, which belong to nobody on the internet (IANA's special-purpose registries, seen 2026-11-29). */
const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(network, bits, 'ipv6');

/** Clouds serve credentials at link-local addresses: no server of the user's own is there. */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');

/** Whether an IP address, with or without brackets, is not a public one; false if it is not an address. */
export function isPrivateAddress(address: string): boolean {
  return isIn(PRIVATE, address);
}

export function isLinkLocalAddress(address: string): boolean {
  return isIn(LINK_LOCAL, address);
}

export function isLoopbackHost(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** Names unknown to public name servers: single words, and suffixes reserved for private networks (RFC 6762, RFC 8375, ICANN 2024). */
export function isPrivateName(hostname: string): boolean {
  return isIP(hostname) === 0 && (/^[^.:[]+$/.test(hostname) || /\.(local|internal|home\.arpa)$/.test(hostname));
}

function isIn(list: BlockList, address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '');
  if (isIP(bare) === 0) return false;
  // An IPv4 address inside IPv6 is judged as IPv4.
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(bare);
  if (mapped !== null) return list.check(mapped[1] ?? readHalves(mapped[2] as string, mapped[3] as string), 'ipv4');
  return list.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}

function readHalves(high: string, low: string): string {
  return [Number.parseInt(high, 16), Number.parseInt(low, 16)].flatMap((half) => [half >> 8, half & 255]).join('.');
}
