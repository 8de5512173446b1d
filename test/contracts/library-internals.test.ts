import { expect } from 'chai';
import { decodeJwt, exportJWK, SignJWT } from 'jose';
import Provider, { interactionPolicy, type AdapterPayload, type Session } from 'oidc-provider';
import { readFileSync } from 'node:fs';
import type { PublicJwk } from '../../src/kernel/public-keys.js';
import type { ClientKeys } from '../../src/oidc/client-keys.js';
import {
  bindingOf,
  extendPayloads,
  keepClients,
  nameSessions,
  replaceSecretComparison,
  takeOverLogouts,
  watchLogins,
} from '../../src/oidc/library-internals.js';
import { newKeyPair } from '../support/key-pair.js';

/** For clients without a `jwks_uri`. */
const noKeys: ClientKeys = { keysAt: () => [], isRecent: () => true, renew: async () => undefined };

const { verify } = (await import(
  String(new URL('../../node_modules/oidc-provider/lib/helpers/jwt.js', import.meta.url))
)) as {
  verify(jwt: string, keys: object, options: object): Promise<unknown>;
};

/** What we lean on behind the library's public interface. A new version that moves one of these fails here first. */
describe('the inside of oidc-provider, as far as we use it', () => {
  let provider: Provider;

  beforeEach(async () => {
    const { privateKey } = await newKeyPair('ES256');
    provider = new Provider('http://localhost', {
      jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
      features: { devInteractions: { enabled: false } },
      extraClientMetadata: { properties: ['liveSecrets'] },
      cookies: { keys: ['k'] },
    });
  });

  it('is the pinned version', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(manifest.dependencies['oidc-provider']).to.equal('9.13.3');
  });

  it('a grant keeps our members when it is saved and loaded', async () => {
    extendPayloads(provider);
    const binding = { accountId: 'usr_1', clientId: 'web', tenantId: 'ten_1', sessionUid: 'uid', offline: true };
    const grant = new provider.Grant({ ...binding });
    const found = await provider.Grant.find(await grant.save());
    expect(bindingOf(found)).to.include(binding);
  });

  it('a session keeps the tenant that it is bound to', async () => {
    extendPayloads(provider);
    const session = new (provider.Session as unknown as new (payload: object) => Session)({
      ...{ accountId: 'usr_1', boundTenantId: 'ten_1' },
    });
    await session.save(60);
    expect(await provider.Session.findByUid(session.uid)).to.include({ boundTenantId: 'ten_1' });
  });

  it('a session gets its person by loginAccount alone, with the interaction known, before anything else is checked', () => {
    const source = (path: string): string =>
      readFileSync(new URL(`../../node_modules/oidc-provider/lib/${path}`, import.meta.url), 'utf8');
    const resume = source('actions/authorization/resume.js');
    expect(resume.indexOf("ctx.oidc.entity('Interaction'")).to.be.greaterThan(0);
    expect(resume.indexOf('session.loginAccount({')).to.be.greaterThan(resume.indexOf("ctx.oidc.entity('Interaction'"));
    expect(resume.indexOf('await next()')).to.be.greaterThan(resume.indexOf('session.loginAccount({'));
    const prototype = provider.Session.prototype as unknown as { loginAccount: (how: object) => void };
    const original = prototype.loginAccount;
    watchLogins(provider, () => undefined);
    expect(prototype.loginAccount).not.to.equal(original);
    const session = new (provider.Session as unknown as new (payload: object) => Session & typeof prototype)({});
    session.loginAccount({ accountId: 'usr_1' });
    expect(session.accountId).to.equal('usr_1');
  });

  it('client secrets are compared by our function, and custom metadata keeps its names', async () => {
    const asked: string[] = [];
    replaceSecretComparison(provider, (client, presented) => {
      asked.push(presented);
      return client.liveSecrets.length === 1;
    });
    const Client = provider.Client as unknown as new (metadata: unknown) => {
      compareClientSecret(secret: string): boolean;
    };
    const client = new Client({
      client_id: 'web',
      client_secret: 'stored-hashed',
      redirect_uris: ['https://rp.example.com/cb'],
      id_token_signed_response_alg: 'ES256',
      liveSecrets: [{ hash: 'h', expiresAt: null }],
    });
    expect(client.compareClientSecret('presented')).to.equal(true);
    expect(asked).to.deep.equal(['presented']);
  });

  it('a client is made once for each metadata object, and anew for another one', async () => {
    const metadataOf = (name: string): AdapterPayload => ({
      client_id: 'web',
      client_secret: 'stored-hashed',
      client_name: name,
      redirect_uris: ['https://rp.example.com/cb'],
      id_token_signed_response_alg: 'ES256',
    });
    let current: AdapterPayload | undefined = metadataOf('first');
    const library = adapterOfClients(provider);
    library.find = async () => current;
    keepClients(provider, async () => current, noKeys);
    const first = await provider.Client.find('web');
    expect(first?.clientName).to.equal('first');
    expect(await provider.Client.find('web')).to.equal(first);
    current = metadataOf('second');
    expect((await provider.Client.find('web'))?.clientName).to.equal('second');
    current = undefined;
    expect(await provider.Client.find('web')).to.equal(undefined);
    expect(await provider.Client.find('')).to.equal(undefined);
  });

  it('the keys of a client with a jwks_uri come from ours, asked for in the order that we rely on', async () => {
    const { privateKey, publicKey } = await newKeyPair('ES256');
    const metadata: AdapterPayload = {
      client_id: 'web',
      redirect_uris: ['https://rp.example.com/cb'],
      token_endpoint_auth_method: 'private_key_jwt',
      id_token_signed_response_alg: 'ES256',
      jwks_uri: 'https://rp.example.com/keys',
    };
    let published: PublicJwk[] = [];
    const asked: string[] = [];
    adapterOfClients(provider).find = async () => metadata;
    keepClients(provider, async () => metadata, {
      keysAt: (uri) => (asked.push(`keys ${uri}`), published),
      isRecent: () => (asked.push('recent?'), published.length > 0),
      async renew() {
        asked.push('renew');
        published = [(await exportJWK(publicKey)) as PublicJwk];
      },
    });
    const client = (await provider.Client.find('web')) as unknown as { asymmetricKeyStore: object };
    const assertion = await new SignJWT({ sub: 'web' }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
    const at = 'keys https://rp.example.com/keys';
    await verify(assertion, client.asymmetricKeyStore, {});
    expect(asked).to.deep.equal([at, 'recent?', 'renew', at]);
    asked.length = 0;
    await verify(assertion, client.asymmetricKeyStore, {});
    expect(asked).to.deep.equal([at]);
    asked.length = 0;
    const foreign = await newKeyPair('ES256');
    const forged = await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(foreign.privateKey);
    const error: unknown = await verify(forged, client.asymmetricKeyStore, {}).catch((cause: unknown) => cause);
    expect(error).to.be.an('error');
    expect(asked).to.deep.equal([at, 'recent?']);
  });

  it('the session is named to an app by our function, whatever was drawn before', () => {
    nameSessions(provider, (sessionUid, clientId) => `${sessionUid} for ${clientId}`);
    const session = new (provider.Session as unknown as new (payload: object) => object)({
      ...{ uid: 'uid', jti: 'first', authorizations: { web: { sid: 'drawn' } } },
    }) as { ensureClientContainer(clientId: string): void; sidFor(clientId: string): string | undefined };
    session.ensureClientContainer('web');
    expect(session.sidFor('web')).to.equal('uid for web');
  });

  it('a logout token is made and sent when we say so, and not by a sign-out', async () => {
    const { privateKey } = await newKeyPair('ES256');
    const sent: { url: string; body: string }[] = [];
    const telling = new Provider('http://localhost', {
      jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
      features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
      cookies: { keys: ['k'] },
      fetch: async (url, init) => {
        sent.push({ url: url as string, body: (init?.body as URLSearchParams).toString() });
        return new Response(null, { status: 204 });
      },
    });
    const sendLogout = takeOverLogouts(telling);
    adapterOfClients(telling).find = async () => ({
      ...{ client_id: 'web', redirect_uris: ['https://rp.example.com/cb'], token_endpoint_auth_method: 'none' },
      ...{ id_token_signed_response_alg: 'ES256', backchannel_logout_uri: 'https://rp.example.com/out' },
      backchannel_logout_session_required: true,
    });
    const client = await telling.Client.find('web');
    if (!client) return expect.fail('no client');
    await (client as unknown as { backchannelLogout(...args: string[]): Promise<void> }).backchannelLogout('u', 's');
    expect(sent, 'by the library').to.deep.equal([]);
    await sendLogout(client, 'usr_1', 'the-sid');
    const [{ url = '', body = '' } = {}] = sent;
    expect(url).to.equal('https://rp.example.com/out');
    const claims = decodeJwt(new URLSearchParams(body).get('logout_token') ?? '');
    expect(claims).to.include({ sub: 'usr_1', sid: 'the-sid', aud: 'web' });
  });

  it('a changed session identifier is announced as `oldId`', () => {
    const session = new (provider.Session as unknown as new (payload: object) => object)({
      uid: 'uid',
      jti: 'first',
    }) as unknown as {
      oldId?: string;
      id: string;
      resetIdentifier(): void;
    };
    session.resetIdentifier();
    expect(session.oldId).to.equal('first');
    expect(session.id).not.to.equal('first');
  });

  it('the base policy has the prompts and the check that we change', () => {
    const policy = interactionPolicy.base();
    expect(policy.map((prompt) => prompt.name)).to.deep.equal(['login', 'consent']);
    expect(policy.get('consent')?.checks.get('native_client_prompt')).to.be.an('object');
  });

  it('the request context, resolved resources and their scopes are where we read them', () => {
    const source = (path: string): string =>
      readFileSync(new URL(`../../node_modules/oidc-provider/lib/${path}`, import.meta.url), 'utf8');
    expect(Object.getOwnPropertyDescriptor(Provider, 'ctx')?.get).to.be.a('function');
    expect(source('shared/check_resource.js')).to.contain('resourceServers[identifier] = new provider.ResourceServer');
    expect(source('helpers/resource_server.js')).to.contain('get scopes()');
    for (const name of ['NotFound', 'Expired', 'AlreadyUsed', 'NoCode', 'Aborted']) {
      expect(source('helpers/re_render_errors.js')).to.contain(`class ${name}Error extends ReRenderError`);
    }
    expect(source('shared/error_handler.js')).to.contain('generateXsrf(ctx, () => {})');
    expect(source('helpers/initialize_app.js')).to.contain('ctx.oidc.session?.touched && !ctx.oidc.session.destroyed');
    expect(source('shared/selective_body.js')).to.contain('ctx.req.body || ctx.request.body');
  });
});

/** The adapter of the library's clients. */
function adapterOfClients(provider: Provider): { find(id: string): Promise<AdapterPayload | undefined> } {
  return (provider.Client as unknown as { adapter: { find(id: string): Promise<AdapterPayload | undefined> } }).adapter;
}
