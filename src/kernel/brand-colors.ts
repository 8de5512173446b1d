/** One colour of a tenant for each scheme, `#rrggbb`; null: as everywhere. */
export interface BrandColors {
  primaryColor: string | null;
  primaryColorDark: string | null;
}

export type ColorScheme = 'light' | 'dark';

/** What a colour stands on or under, as `views/layout/style.css` has it; a test holds the two together. */
export const surroundings: Readonly<Record<ColorScheme, { grounds: readonly string[]; buttonText: string }>> = {
  light: { grounds: ['#ffffff', '#eef2f0'], buttonText: '#ffffff' },
  dark: { grounds: ['#161f1b', '#0c1210'], buttonText: '#000000' },
};

/** Of text (WCAG 2.2, 1.4.3). The colour is that of links too, so it needs more than the 3:1 of a button's edge (1.4.11). */
const leastContrast = 4.5;

/** Of two colours `#rrggbb`, from 1 to 21 (WCAG 2.2, contrast ratio). */
export function contrastOf(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminanceOf(one), luminanceOf(other)].sort((left, right) => right - left);
  return (light + 0.05) / (dark + 0.05);
}

/** Why nobody could read links and buttons of this colour, with the ratio that was measured; or null. */
export function problemOfColor(color: string, scheme: ColorScheme): string | null {
  const { grounds, buttonText } = surroundings[scheme];
  for (const other of [...grounds, buttonText]) {
    const contrast = contrastOf(color, other);
    if (contrast >= leastContrast) continue;
    const what = other === buttonText && !grounds.includes(other) ? 'its text' : 'the page';
    // not rounded up: 4.499 is too little
    const measured = (Math.floor(contrast * 100) / 100).toFixed(2);
    return `has a contrast of ${measured}:1 with ${what} (${other}) in the ${scheme} scheme, and needs ${leastContrast}:1`;
  }
  return null;
}

/** Custom properties of the stylesheet in the place of its own, for both schemes. */
export function styleOf({ primaryColor, primaryColorDark }: BrandColors): string {
  const light = primaryColor === null ? '' : `:root{${propertiesOf(primaryColor, 'light')}}`;
  const dark = primaryColorDark === null ? '' : `:root{${propertiesOf(primaryColorDark, 'dark')}}`;
  // the light colour must not reach the dark scheme, whose own may be the platform's
  return inScheme(light, 'light') + inScheme(dark, 'dark');
}

function inScheme(rule: string, scheme: ColorScheme): string {
  return rule === '' ? '' : `@media (prefers-color-scheme:${scheme}){${rule}}`;
}

function propertiesOf(color: string, scheme: ColorScheme): string {
  const { buttonText } = surroundings[scheme];
  // away from the text of the button, so that it is read even better under the pointer
  const hover = mixed(color, scheme === 'light' ? 0 : 255, 0.2);
  return `--link:${color};--button:${color};--button-hover:${hover};--button-text:${buttonText}`;
}

/** Towards black (0) or white (255). */
function mixed(color: string, towards: number, share: number): string {
  const parts = channelsOf(color).map((channel) => Math.round(channel + (towards - channel) * share));
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

function luminanceOf(color: string): number {
  const [red = 0, green = 0, blue = 0] = channelsOf(color).map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channelsOf(color: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}
