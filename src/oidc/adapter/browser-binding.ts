import Provider, { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import { equalSecrets } from '../../kernel/secret.js';
import type { BrowserIds } from '../../platform/http/browser-id.js';

export interface BrowserBindingDeps {
  browserIds: BrowserIds;
}

/**
 * A sign-in goes on only in the browser in which somebody signed in. The cookies of an interaction do not prove that: who
 * began it may have planted them elsewhere, let somebody else sign in there, and gone on with the copy. Asked where the
 * interaction is loaded, because the library opens the session right behind that.
 */
export function resumedWhereSignedIn(stored: Adapter, { browserIds }: BrowserBindingDeps): Adapter {
  return {
    ...stored,
    async find(id) {
      const interaction = (await stored.find(id)) as AdapterPayload | undefined;
      const { ctx } = Provider;
      if (!ctx?.oidc.route.endsWith('resume')) return interaction;
      const login = interaction?.result?.login as { browserId: string } | undefined;
      if (login && !equalSecrets(login.browserId, browserIds.find(ctx) ?? '')) {
        throw new errors.SessionNotFound('somebody signed in to this interaction in another browser');
      }
      return interaction;
    },
  };
}
