import { authorizeUrl, redeem } from '../http/requests.js';
import { ada, redirectUri, webSecret } from '../support/contract-seed.js';
import type { RunningApp } from '../support/start-app.js';
import { browser } from '../support/browser.js';
import { signIn } from '../support/relying-party.js';
import { apiWith, type Api } from './api.js';

const consoleClient = 'console';

/** A client of ours that asks for tokens for the management API; the issuer is known only once the app runs. */
export async function addConsole(running: RunningApp): Promise<void> {
  await running.app.seeding.applySeed({
    clients: [
      {
        ...{ client_id: consoleClient, client_secret: webSecret, redirect_uris: [redirectUri], firstParty: true },
        grant_types: ['authorization_code', 'refresh_token'],
        resources: [`${running.issuer}/api`],
      },
    ],
  });
}

export interface Person {
  email: string;
  password: string;
}

/** A person with a token for the API in this tenant, and with all that their roles allow unless a scope is named. */
export async function apiOfPerson(
  { issuer }: RunningApp,
  { who = ada, tenant = 'acme', scope }: { who?: Person; tenant?: string; scope: string },
): Promise<Api> {
  const wanted = { client_id: consoleClient, resource: `${issuer}/api`, tenant, scope: `openid ${scope}` };
  const { page } = await signIn(issuer, authorizeUrl(issuer, wanted), who, browser(issuer));
  const code = new URL(page.url).searchParams.get('code') ?? '';
  const { json, text } = await redeem(issuer, code, {}, [consoleClient, webSecret]);
  if (typeof json['access_token'] !== 'string') throw new Error(`${page.url} ${text}`);
  return apiWith(issuer, json['access_token']);
}
