import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';

const VIEWS = resolve(import.meta.dirname, '../../../views');
const css = readFileSync(resolve(VIEWS, 'layout/style.css'), 'utf8');
const head = readFileSync(resolve(VIEWS, 'layout/head.ejs'), 'utf8');

type Palette = Record<string, string>;

function coloursIn(block: string | undefined): Palette {
  const palette: Palette = {};
  for (const [, name, hex] of (block ?? '').matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)) palette[name ?? ''] = hex ?? '';
  return palette;
}

const light = coloursIn(/^:root \{([^}]+)\}/m.exec(css)?.[1]);
const dark = coloursIn(/prefers-color-scheme: dark\) \{\s*:root \{([^}]+)\}/.exec(css)?.[1]);

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(first: string, second: string): number {
  const [low, high] = [luminance(first), luminance(second)].sort((one, other) => one - other) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const TEXT: [string, string][] = [
  ['text', 'page'],
  ['text', 'surface'],
  ['text', 'tint'],
  ['muted', 'page'],
  ['muted', 'arch'],
  ['muted', 'surface'],
  ['muted', 'tint'],
  ['link', 'surface'],
  ['button-text', 'button'],
  ['button-text', 'button-hover'],
  ['avatar-text', 'avatar'],
  ['error-text', 'error-surface'],
];

const PARTS: [string, string][] = [
  ['focus', 'page'],
  ['focus', 'surface'],
  ['focus', 'tint'],
  ['field-line', 'surface'],
  ['field-line', 'tint'],
  ['button', 'surface'],
  ['error-line', 'surface'],
  ['link', 'page'],
];

describe('stylesheet', () => {
  it('measures contrast as WCAG does', () => {
    expect(contrast('#000000', '#ffffff')).to.be.closeTo(21, 0.001);
    expect(contrast('#777777', '#ffffff')).to.be.closeTo(4.48, 0.005);
  });

  for (const [theme, palette] of Object.entries({ light, dark })) {
    for (const [pairs, least] of [
      [TEXT, 4.5],
      [PARTS, 3],
    ] as const) {
      for (const [front, back] of pairs) {
        it(`${theme}: ${front} on ${back} is at least ${least} to 1`, () => {
          expect(contrast(palette[front] ?? '', palette[back] ?? '')).to.be.at.least(least);
        });
      }
    }
  }

  it('gives every colour in both themes and uses no other', () => {
    expect(Object.keys(dark)).to.deep.equal(Object.keys(light));
    const rules = css.slice(css.indexOf('/* Base */'));
    expect(rules).not.to.match(/#[0-9a-f]{3,8}\b(?!\s*\{)|rgb\(|hsl\(/i);
    const declared = new Set([...css.matchAll(/^\s*--([\w-]+):/gm)].map(([, name]) => name));
    for (const [, name] of css.matchAll(/var\(--([\w-]+)\)/g)) expect(declared).to.include(name);
  });

  it('asks for nothing from elsewhere', () => {
    expect(css).not.to.match(/url\(|@import|@font-face|https?:/);
  });

  it('paints the browser in the colour of the card', () => {
    const colours = [...head.matchAll(/name="theme-color" content="(#[0-9a-f]{6})"/g)].map(([, hex]) => hex);
    expect(colours).to.deep.equal([light['surface'], dark['surface']]);
  });
});
