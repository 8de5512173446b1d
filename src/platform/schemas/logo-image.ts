import { imageSize } from 'image-size';

export const logoTypes = ['image/png', 'image/jpeg', 'image/webp'] as const;
export type LogoType = (typeof logoTypes)[number];

/** A picture that browsers show and that runs nothing. */
export interface LogoImage {
  type: LogoType;
  /** Pixels. */
  width: number;
  height: number;
}

export const mostLogoBytes = 32 * 1024;
const mostPixels = 1024;

/**
 * What the bytes are, by their first ones and not by what somebody says of them; or why they are no logo. SVG is none of
 * it: it is a document that can hold scripts, styles and references, and nobody has to trust a cleaner of it then.
 */
export function readLogo(bytes: Uint8Array): LogoImage | { problem: string } {
  if (bytes.length > mostLogoBytes) return { problem: `has ${bytes.length} bytes, and may have ${mostLogoBytes}` };
  const type = typeOf(bytes);
  if (!type) return { problem: 'is no PNG, JPEG or WebP' };
  const size = sizeOf(bytes);
  if (!size) return { problem: 'cannot be read' };
  const { width, height } = size;
  if (width < 1 || height < 1 || width > mostPixels || height > mostPixels)
    return { problem: `has ${width} × ${height} pixels, and may have ${mostPixels} each way` };
  return { type, width, height };
}

function typeOf(bytes: Uint8Array): LogoType | null {
  const text = (from: number, to: number): string => Buffer.from(bytes.subarray(from, to)).toString('latin1');
  if (text(0, 8) === '\x89PNG\r\n\x1a\n' && text(12, 16) === 'IHDR') return 'image/png';
  if (text(0, 3) === '\xff\xd8\xff') return 'image/jpeg';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'image/webp';
  return null;
}

function sizeOf(bytes: Uint8Array): { width: number; height: number } | null {
  try {
    // a copy of them alone: it would read on in what lies behind them in memory
    const { width, height } = imageSize(Uint8Array.from(bytes));
    return Number.isInteger(width) && Number.isInteger(height) ? { width, height } : null;
  } catch {
    return null; // cut short, or not what it begins as
  }
}
