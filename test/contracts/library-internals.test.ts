import { expect } from 'chai';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { interactionPolicy, type AdapterPayload } from 'oidc-provider';
import { readFileSync } from 'node:fs';
import {
  bindingOf,
  extendGrantPayload,
  keepClients,
  replaceSecretComparison,
} from '../../src/oidc/library-internals.js';

/** What we lean on behind the library's public interface. A new version that moves one of these fails here first. */
describe('the inside of oidc-provider, as far as we use it', () => {
  let provider: Provider;

  beforeEach(async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
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
    extendGrantPayload(provider);
    const binding = { accountId: 'usr_1', clientId: 'web', tenantId: 'ten_1', sessionUid: 'uid', offline: true };
    const grant = new provider.Grant({ ...binding });
    const found = await provider.Grant.find(await grant.save());
    expect(bindingOf(found)).to.include(binding);
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
    keepClients(provider, async () => current);
    const first = await provider.Client.find('web');
    expect(first?.clientName).to.equal('first');
    expect(await provider.Client.find('web')).to.equal(first);
    current = metadataOf('second');
    expect((await provider.Client.find('web'))?.clientName).to.equal('second');
    current = undefined;
    expect(await provider.Client.find('web')).to.equal(undefined);
    expect(await provider.Client.find('')).to.equal(undefined);
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
