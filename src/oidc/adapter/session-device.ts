import { addressPrefix } from '../../kernel/client-address.js';
import { softwareOf, type Software } from '../../kernel/user-agent.js';
import type { Sealing } from '../../platform/crypto/sealing.js';

/** With what and from where a session was last used, as a person is told so that they know it again. */
export interface SessionDevice extends Software {
  /** An IPv4 address whole, of an IPv6 address its network. */
  address: string;
}

/** What is known of whoever sends a request. */
export interface Sender {
  userAgent: string;
  address: string;
}

/** Sealed: it tells where a person is. */
export function sealDevice(sealing: Sealing, sessionUid: string, sender: Sender): Promise<string> {
  return sealing.seal(JSON.stringify(deviceOf(sender)), contextOf(sessionUid));
}

export function deviceOf({ userAgent, address }: Sender): SessionDevice {
  return { ...softwareOf(userAgent), address: addressPrefix(address) };
}

export async function openDevice(sealing: Sealing, sessionUid: string, sealed: string): Promise<SessionDevice> {
  return JSON.parse(await sealing.open(sealed, contextOf(sessionUid))) as SessionDevice;
}

function contextOf(sessionUid: string): string {
  return `SessionDevice:${sessionUid}`;
}
