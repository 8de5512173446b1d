import * as client from 'openid-client';
import { browser, type Browser, type Page } from './browser.js';
import { ada } from './contract-seed.js';
import { relyingParty, type RelyingParty, type Tokens } from './relying-party.js';

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
/** A device that shows its code and waits. */
export interface WaitingDevice {
  party: RelyingParty;
  response: client.DeviceAuthorizationResponse;
  /** Polls as openid-client does, `interval` seconds apart; as told by the server unless given. */
  poll(interval?: number): Promise<Tokens>;
  /** Asks once; the status, and the members of the answer. */
  ask(): Promise<{ status: number; json: Record<string, unknown> }>;
}

export async function startDevice(
  issuer: string,
  parameters: Record<string, string> = {},
  [clientId, secret]: readonly [string, string | null] = ['television', null],
): Promise<WaitingDevice> {
  const party = await relyingParty(issuer, clientId, secret);
  const response = await client.initiateDeviceAuthorization(party.configuration, {
    scope: 'openid profile tenant projects:read',
    ...parameters,
  });
  return {
    party,
    response,
    poll: (interval) =>
      client.pollDeviceAuthorizationGrant(party.configuration, {
        ...response,
        ...(interval === undefined ? {} : { interval }),
      }),
    async ask() {
      const answer = await fetch(`${issuer}/oauth2/token`, {
        method: 'POST',
        headers: secret === null ? {} : { Authorization: `Basic ${btoa(`${clientId}:${secret}`)}` },
        body: new URLSearchParams({
          grant_type: deviceGrant,
          device_code: response.device_code,
          ...(secret === null ? { client_id: clientId } : {}),
        }),
      });
      return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
    },
  };
}

/** Types the code in this browser; ends at the page that asks whether to connect, or at what stands in its way. */
export async function typeCode(visitor: Browser, userCode: string): Promise<Page> {
  return visitor.submit(await visitor.get('/device'), { user_code: userCode });
}

/** Types the code, connects and signs in; ends where the pages lead then. */
export async function connect(
  issuer: string,
  { response }: Pick<WaitingDevice, 'response'>,
  person = ada,
  visitor = browser(issuer),
): Promise<{ browser: Browser; page: Page }> {
  const confirm = await typeCode(visitor, response.user_code);
  const login = await visitor.submit(confirm, { confirm: 'yes' });
  return { browser: visitor, page: await visitor.submit(login, { login: person.email, password: person.password }) };
}
