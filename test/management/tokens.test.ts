// With what a request may come: every operation with every token that is not good for it, and then with one that is.
import { expect } from 'chai';
import type { Route } from '../../src/management/index.js';
import { authorizeUrl, codeOf, post, redeem, send, type Answer } from '../http/requests.js';
import { operator as system } from '../support/administered.js';
import { browser } from '../support/browser.js';
import { ciKey, projectsApi, redirectUri } from '../support/contract-seed.js';
import { dpopSender, type DpopSender } from '../support/dpop-sender.js';
import { fetchAt } from '../support/fetch-at.js';
import { signIn } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';
import { thirdPartySecret } from '../support/two-tenants.js';
import { keyOf } from './api.js';
import { callerOf, isOfPerson } from './callers.js';
import { addressOf, exampleOf, type Example } from './examples.js';
import { apiOfPerson, newGround, newServiceAccount, openStage, serviceToken, signInFor } from './ground.js';
import type { Ground, ManagementStage } from './ground.js';

/** How a request is sent, and where. */
type Sending = { headers: Record<string, string>; via?: typeof fetch };
type Refused = (stage: ManagementStage) => Promise<Sending>;

const bearer = (token: string): Sending => ({ headers: { Authorization: `Bearer ${token}` } });
const own = 'account:read account:write';

/** A token of a service account to which something happens then. */
function afterService(happens: (ground: Ground, serviceAccountId: string) => Promise<unknown>): Refused {
  return async (stage) => {
    const ground = await newGround(stage);
    const account = await newServiceAccount(ground, ['owner']);
    const token = await serviceToken(stage, account);
    await happens(ground, account.serviceAccountId);
    return bearer(token);
  };
}

function afterPerson(happens: (ground: Ground, userId: string) => Promise<unknown>): Refused {
  return async (stage) => {
    const ground = await newGround(stage);
    const person = await ground.person();
    const { access_token: token } = await signInFor(ground, person, `${own} tenants:read`);
    await happens(ground, person.userId);
    return bearer(token);
  };
}

const administrationOf = ({ running }: ManagementStage) => running.app.administration;

/** What is answered with 401, whatever is asked. */
const refused: Readonly<Record<string, Refused>> = {
  'no token': async () => ({ headers: {} }),
  'an empty token': async () => ({ headers: { Authorization: 'Bearer ' } }),
  'another scheme': async () => ({
    headers: { Authorization: `Basic ${Buffer.from(`platform-owner:${keyOf('platform-owner')}`).toString('base64')}` },
  }),
  garbage: async () => bearer('x'.repeat(43)),
  'a token for another API': async ({ issuer }) => {
    const members = { grant_type: 'client_credentials', resource: projectsApi };
    return bearer(String((await post(issuer, 'token', members, ['acme-ci', ciKey])).json['access_token']));
  },
  'an opaque token': async ({ issuer }) => {
    const code = await codeOf(issuer, { client_id: 'plain' });
    return bearer(String((await redeem(issuer, code, {}, ['plain', thirdPartySecret])).json['access_token']));
  },
  'an ID token': async (stage) => {
    const ground = await newGround(stage);
    return bearer((await signInFor(ground, await ground.person(), own)).id_token);
  },
  'a refresh token': async (stage) => {
    const ground = await newGround(stage);
    return bearer((await signInFor(ground, await ground.person(), own)).refresh_token);
  },
  'an unsigned token': async ({ operator }) => {
    const [, claims = ''] = operator.token.split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
    return bearer(`${header}.${claims}.`);
  },
  'a token with other claims': async ({ operator }) => {
    const [header = '', claims = '', signature = ''] = operator.token.split('.');
    const read = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object;
    const other = Buffer.from(JSON.stringify({ ...read, client_id: 'somebody' })).toString('base64url');
    return bearer(`${header}.${other}.${signature}`);
  },
  'a token of yesterday': async ({ running, operator }) => {
    const later = await startApp({ sharedWith: running, now: () => new Date(Date.now() + 86_400_000) });
    return { ...bearer(operator.token), via: fetchAt(later.port) };
  },
  'a revoked token': async (stage) => {
    const account = await newServiceAccount(await newGround(stage), ['owner']);
    const token = await serviceToken(stage, account);
    const { status } = await post(stage.issuer, 'revoke', { token }, [account.clientId, account.secret]);
    expect(status).to.equal(200);
    return bearer(token);
  },
  'a token of a deleted service account': afterService(async (ground, serviceAccountId) =>
    administrationOf(ground).deleteServiceAccount(system, { ...ground, serviceAccountId }),
  ),
  'a token of a disabled service account': afterService(async (ground, serviceAccountId) =>
    administrationOf(ground).changeServiceAccount(
      system,
      { ...ground, serviceAccountId },
      { changes: { status: 'disabled' } },
    ),
  ),
  'a token of a suspended tenant': afterService((ground) =>
    administrationOf(ground).changeStatus(system, ground.tenantId, 'suspended'),
  ),
  'a token of a tenant whose tokens were ended': afterService(({ running, tenantId }) =>
    running.app.administration.endTokensOf(system, { tenantId }),
  ),
  'a token of a disabled person': afterPerson((ground, userId) =>
    administrationOf(ground).changeUserStatus(system, userId, 'disabled'),
  ),
  'a token of a deleted person': afterPerson(async (ground, userId) =>
    administrationOf(ground).deleteUser(system, userId),
  ),
  'a token of somebody who is no member any more': afterPerson((ground, userId) =>
    administrationOf(ground).removeMember(system, { tenantId: ground.tenantId, userId }),
  ),
  'a token of a session that has ended': afterPerson((ground, userId) =>
    administrationOf(ground).endUserSessions(system, userId),
  ),
  'a token of a deleted client': async (stage) => bearer(await tokenOfDeletedClient(stage)),
  'a bound token as Bearer': async (stage) => bearer(await boundToken(stage, await dpopSender())),
};

async function tokenOfDeletedClient(stage: ManagementStage): Promise<string> {
  const ground = await newGround(stage);
  const { issuer, slug, tenantId } = ground;
  const resource = `${issuer}/api`;
  const wanted = { name: 'An app', redirectUris: [redirectUri], resources: [resource] };
  const made = await administrationOf(stage).createClient(system, tenantId, { ...wanted, firstParty: true });
  const { clientId } = made.client;
  const members = { client_id: clientId, scope: `openid ${own}`, resource, tenant: slug };
  const { page } = await signIn(issuer, authorizeUrl(issuer, members), await ground.person(), browser(issuer));
  const code = new URL(page.url).searchParams.get('code') ?? '';
  const { json } = await redeem(issuer, code, { resource }, [clientId, made.secret ?? '']);
  await administrationOf(stage).deleteClient(system, { tenantId, clientId });
  return String(json['access_token']);
}

async function boundToken({ issuer }: ManagementStage, sender: DpopSender): Promise<string> {
  const endpoint = `${issuer}/oauth2/token`;
  const { json } = await send(endpoint, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`platform-owner:${keyOf('platform-owner')}`).toString('base64')}`,
      DPoP: await sender.proof({ method: 'POST', url: endpoint }),
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${issuer}/api` }),
  });
  expect(json['token_type']).to.equal('DPoP');
  return String(json['access_token']);
}

interface Asked {
  route: Route;
  example: Example;
}

async function askWith({ issuer }: ManagementStage, { route, example }: Asked, sending: Sending): Promise<Answer> {
  const { via = fetch, headers } = sending;
  const response = await via(`${issuer}/api/v1${addressOf(route, example)}`, {
    method: route.method,
    headers: { ...(example.body ? { 'Content-Type': 'application/json' } : {}), ...headers },
    ...(example.body ? { body: JSON.stringify(example.body) } : {}),
  });
  const text = await response.text();
  const { status, headers: answered } = response;
  return {
    status,
    headers: answered,
    text,
    json: text === '' ? {} : (JSON.parse(text) as object as never),
    location: null,
  };
}

describe('tokens at the management API', function () {
  this.timeout(60_000);
  let stage: ManagementStage;
  let asked: Asked[];
  before(async () => {
    stage = await openStage();
    const ground = await newGround(stage);
    asked = [];
    for (const route of stage.running.app.operations) asked.push({ route, example: await exampleOf(route, ground) });
  });
  after(closeApps);

  const metadata = () => `resource_metadata="${stage.issuer}/.well-known/oauth-protected-resource/api"`;

  for (const [what, make] of Object.entries(refused)) {
    it(`sec-073 ${what} opens no operation`, async () => {
      const sending = await make(stage);
      const wrong: string[] = [];
      for (const each of asked) {
        const { status, headers, json, text } = await askWith(stage, each, sending);
        const challenge = headers.get('www-authenticate') ?? '';
        const isNamed = /^(Bearer|DPoP) /.test(challenge) && challenge.includes(metadata());
        // RFC 6750 §3.1: who sends nothing is told no error
        const isTold = challenge.includes('error="invalid_token"') || sendsNone(sending);
        const isProblem =
          json['code'] === 'token.invalid' && headers.get('content-type')?.startsWith('application/problem+json');
        if (status !== 401 || !isNamed || !isTold || !isProblem)
          wrong.push(`${each.route.operationId}: ${status} ${challenge} ${text}`);
      }
      expect(wrong).to.deep.equal([]);
    });
  }

  it('sec-073 a token without the permission that the operation needs opens it not', async () => {
    const ground = await newGround(stage);
    const ofPerson = await apiOfPerson(ground, 'tenants:read members:read members:write');
    const wrong: string[] = [];
    for (const each of asked) {
      const { permission, operatorPermission } = each.route;
      const needed: (string | undefined)[] = [permission, operatorPermission];
      const account = { clientId: 'platform-owner', secret: keyOf('platform-owner') };
      const scope = scopesOf(stage.operator.token).filter((name) => !needed.includes(name));
      const token = isOfPerson(each.route) ? ofPerson.token : await serviceToken(stage, account, scope.join(' '));
      const { status, headers } = await askWith(stage, each, bearer(token));
      const challenge = headers.get('www-authenticate') ?? '';
      const isTold = challenge.startsWith('Bearer error="insufficient_scope"') && challenge.includes(metadata());
      // who may not read other tenants is not told that they are there
      const isHidden = status === 404 && operatorPermission === 'platform:tenants:read';
      if (!isHidden && (status !== 403 || !isTold)) wrong.push(`${each.route.operationId}: ${status} ${challenge}`);
    }
    expect(wrong).to.deep.equal([]);
  });

  it('sec-061 a bound token opens what it may with a proof, and each proof once for all processes', async () => {
    const sender = await dpopSender();
    const token = await boundToken(stage, sender);
    const second = await startApp({ sharedWith: stage.running });
    const reading = asked.filter(({ route }) => route.method === 'GET' && !isOfPerson(route));
    for (const each of reading) {
      const url = `${stage.issuer}/api/v1${addressOf(each.route, each.example)}`;
      const proof = await sender.proof({ method: 'GET', url: url.split('?')[0] ?? '' }, token);
      const headers = { Authorization: `DPoP ${token}`, DPoP: proof };
      const answer = await askWith(stage, each, { headers });
      expect(answer.status, `${each.route.operationId} ${answer.text}`).to.equal(200);
      for (const via of [fetch, fetchAt(second.port)]) {
        const again = await askWith(stage, each, { headers, via });
        expect(again.status, each.route.operationId).to.equal(401);
        expect(again.headers.get('www-authenticate')).to.match(/DPoP .*error="invalid_dpop_proof"/);
      }
    }
  });

  it('sec-061 of many uses of one proof at once, over two processes, one goes through', async () => {
    const sender = await dpopSender();
    const token = await boundToken(stage, sender);
    const second = await startApp({ sharedWith: stage.running });
    const each = asked.find(({ route }) => route.operationId === 'listTenants') as Asked;
    const proof = await sender.proof({ method: 'GET', url: `${stage.issuer}/api/v1/tenants` }, token);
    const headers = { Authorization: `DPoP ${token}`, DPoP: proof };
    const ways = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? fetch : fetchAt(second.port)));
    const answers = await Promise.all(ways.map((via) => askWith(stage, each, { headers, via })));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, ...Array<number>(49).fill(401)]);
  });

  it('and a good one opens each of them, as it was asked all the time', async () => {
    for (const { route } of asked) {
      const ground = await newGround(stage);
      const { token } = await callerOf(route, ground);
      const answer = await askWith(stage, { route, example: await exampleOf(route, ground) }, bearer(token));
      expect(answer.status, `${route.operationId} ${answer.text}`).to.equal(route.status);
    }
  });
});

const sendsNone = ({ headers }: Sending): boolean => !/^Bearer ./.test(headers['Authorization'] ?? '');

function scopesOf(token: string): string[] {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { scope: string };
  return claims.scope.split(' ');
}
