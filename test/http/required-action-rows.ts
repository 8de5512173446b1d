import { randomUUID } from 'node:crypto';
import { systemAuthority } from '../../src/kernel/actor.js';
import type { RunningApp } from '../support/start-app.js';
import { pngOf } from '../support/pictures.js';
import type { Endpoint, EndpointRequest, Stage } from './endpoint.js';
import { asOpenPage, openSignIn } from './requests.js';

type Settings = Parameters<RunningApp['app']['administration']['changeSettings']>[2];

const by = systemAuthority('command');
const password = 'a password of who is asked';

/** Somebody without a name in a tenant of their own with these settings. */
async function newTenant({ running }: Stage, settings: Settings): Promise<{ email: string; slug: string; id: string }> {
  const { administration } = running.app;
  const [slug, email] = [`t-${randomUUID().slice(0, 18)}`, `asked-${randomUUID()}@example.com`];
  const { id: ownerId } = await administration.createUser(by, { email, emailVerified: true, password });
  const { id } = await administration.createTenant(by, { slug, name: 'A team', type: 'team', ownerId });
  await administration.changeSettings(by, { tenantId: id }, settings);
  return { email, slug, id };
}

function row(step: 'terms' | 'profile', policies: Settings['policies'], members: Record<string, string>): Endpoint {
  async function request(stage: Stage): Promise<EndpointRequest> {
    const { email, slug } = await newTenant(stage, { policies });
    const login = await openSignIn(stage.issuer, { tenant: slug });
    const page = await login.visitor.submit(login.page, { login: email, password });
    const { visitor, uid, csrf } = asOpenPage(login.visitor, page);
    const path = `/sign-in/${uid}/${step}`;
    return { path, parameters: { csrf, ...members }, headers: { Cookie: visitor.cookieHeader(path) } };
  }
  return { method: 'POST', path: `/sign-in/:uid/${step}`, kind: 'page', request };
}

/** What somebody has to do before a sign-in ends, and the picture that stands on its pages. */
export const requiredActionRows: readonly Endpoint[] = [
  row('terms', { terms: { version: '1', uri: 'https://example.com/terms' } }, { tenant_version: '1', accept: 'yes' }),
  row('profile', { requiredProfile: ['name', 'locale'] }, { name: 'Somebody', locale: 'de-AT' }),
  {
    ...{ method: 'GET', path: '/logos/:digest', kind: 'other' },
    async request(stage) {
      const data = pngOf(8, 8).toString('base64');
      const { id } = await newTenant(stage, { branding: { logo: { data, alt: 'A team' } } });
      const { branding } = await stage.running.app.administration.getTenant(id);
      return { path: `/logos/${branding.logo?.digest ?? ''}`, parameters: {}, headers: {} };
    },
  },
];
