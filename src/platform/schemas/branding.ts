import { z } from 'zod';
import { problemOfColor, type ColorScheme } from '../../kernel/brand-colors.js';
import { mostLogoBytes, readLogo } from './logo-image.js';

const readable = (maximum: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^[^\p{Cc}\p{Bidi_Control}]*$/u, 'must not hold control characters');

/** A link or a button in it can be read on the pages of that scheme. */
const color = (scheme: ColorScheme) =>
  z
    .string()
    .regex(/^#[0-9a-f]{6}$/, 'must be a colour such as #0f5f4d, in lower case')
    .superRefine((value, context) => {
      const message = problemOfColor(value, scheme);
      if (message !== null) context.addIssue({ code: 'custom', message });
    });

const logo = z.strictObject({
  /** A PNG, JPEG or WebP in base64 (RFC 4648 §4). */
  data: z
    .string()
    .max(Math.ceil(mostLogoBytes / 3) * 4)
    .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'must be base64')
    .superRefine((value, context) => {
      const image = readLogo(Buffer.from(value, 'base64'));
      if ('problem' in image) context.addIssue({ code: 'custom', message: image.problem });
    }),
  /** What is said in the place of the picture. */
  alt: readable(100),
});

/** How sign-in pages look for a tenant. */
export const branding = z.strictObject({
  /** The name that is shown there, in the place of the tenant's. */
  displayName: readable(100).nullable(),
  logo: logo.nullable(),
  primaryColor: color('light').nullable(),
  primaryColorDark: color('dark').nullable(),
  supportUri: z
    .string()
    .max(500)
    .refine((value) => URL.canParse(value) && value.startsWith('https://'), 'must be an https URI')
    .nullable(),
});
