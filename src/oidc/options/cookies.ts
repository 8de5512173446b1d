import Keygrip from 'keygrip';
import type { Configuration } from 'oidc-provider';

/**
 * Cookies hold random identifiers only. The prefixes tie them to https and, for the session, to this host alone; a
 * plain-http issuer (localhost) cannot have them. `names.session` is read by `currentSession` too.
 */
export function cookieOptions(keys: readonly string[], https: boolean) {
  const common = { httpOnly: true, sameSite: 'lax', secure: https, signed: true } as const;
  const options = {
    // a plain list of keys would sign with SHA-1
    keys: new Keygrip([...keys], 'sha256'),
    names: {
      session: https ? '__Host-sid' : 'sid',
      interaction: https ? '__Secure-interaction' : 'interaction',
      resume: https ? '__Secure-resume' : 'resume',
    },
    long: { ...common, path: '/' },
    short: common,
  };
  return options satisfies Configuration['cookies'];
}
