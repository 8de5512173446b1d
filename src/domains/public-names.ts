import { createRequire } from 'node:module';

/** Why no tenant can have this name alone, or null. */
export type ProblemOfName = (name: string) => Promise<'public_suffix' | 'mail_provider' | null>;

/** What the list of mail providers lacks. */
const others: readonly string[] = ['fastmail.com', 'tutanota.com', 'tuta.com', 'duck.com', 'posteo.de'];

/**
 * Names under which anybody may register (the Public Suffix List, both of its parts) and names at which anybody may have
 * a mailbox, by lists that others keep (decision 0038). Read when they are first asked for: most servers never need them.
 */
export const problemOfPublicName: ProblemOfName = async (name) => {
  const { parse } = await import('tldts');
  const providers = createRequire(import.meta.url)('email-providers/all.json') as string[];
  const { domain } = parse(name, { allowPrivateDomains: true, extractHostname: false });
  if (domain === null) return 'public_suffix';
  const isProvider = [domain, name].some((each) => providers.includes(each) || others.includes(each));
  return isProvider ? 'mail_provider' : null;
};
