import type { Context } from 'koa';
import { z } from 'zod';
import { secondsAfter } from '../kernel/time.js';
import type { AccountDeps } from './account-deps.js';
import type { Place } from './places.js';

/** What somebody had typed, by the names of the form. */
export type KeptValues = Readonly<Record<string, string>>;

interface Whose {
  userId: string;
  place: Place;
}

/** As long as a person may take to prove who they are. */
const keptSeconds = 600;

const sealedForm = z.strictObject({ values: z.record(z.string(), z.string()), until: z.number() });

/**
 * A form that was pressed without fresh proof waits in the browser, sealed, until its person has proven who they are. It
 * is shown to them again and never carried out by itself. Whoever keeps one says which values; secrets are none of them.
 */
export function keptForms({ cookies, now, sealing }: Pick<AccountDeps, 'cookies' | 'now' | 'sealing'>) {
  const name = 'kept-form';
  const recordOf = ({ userId, place }: Whose): string => `kept-form:${userId}:${place}`;

  return {
    async keep(ctx: Context, whose: Whose, values: KeptValues): Promise<void> {
      const until = secondsAfter(now(), keptSeconds).getTime();
      const sealed = await sealing.seal(JSON.stringify({ values, until }), recordOf(whose));
      cookies.write(ctx, name, { value: sealed, lifetimeSeconds: keptSeconds });
    },
    /** Once. Null: there is none, or it is another person's, of another page or too old. */
    async take(ctx: Context, whose: Whose): Promise<KeptValues | null> {
      const sealed = cookies.read(ctx, name);
      if (sealed === undefined) return null;
      const opened = await sealing.open(sealed, recordOf(whose)).catch(() => null);
      if (opened === null) return null;
      cookies.drop(ctx, name);
      const { values, until } = sealedForm.parse(JSON.parse(opened));
      return until > now().getTime() ? values : null;
    },
  };
}
