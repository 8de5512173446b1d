import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { contrastOf, problemOfColor, styleOf, surroundings } from '../../../src/kernel/brand-colors.js';

const css = readFileSync(resolve(import.meta.dirname, '../../../views/layout/style.css'), 'utf8');
const blocks = {
  light: /^:root \{([^}]+)\}/m.exec(css)?.[1] ?? '',
  dark: /prefers-color-scheme: dark\) \{\s*:root \{([^}]+)\}/.exec(css)?.[1] ?? '',
};
const inStyle = (scheme: 'light' | 'dark', name: string): string | undefined =>
  new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(blocks[scheme])?.[1];

describe('colours of a tenant', () => {
  it('are measured as WCAG does', () => {
    expect(contrastOf('#000000', '#ffffff')).to.be.closeTo(21, 0.001);
    expect(contrastOf('#777777', '#ffffff')).to.be.closeTo(4.48, 0.005);
    expect(contrastOf('#ffffff', '#777777')).to.equal(contrastOf('#777777', '#ffffff'));
  });

  it('are held against what the stylesheet has', () => {
    for (const scheme of ['light', 'dark'] as const)
      expect(surroundings[scheme].grounds).to.deep.equal([inStyle(scheme, 'surface'), inStyle(scheme, 'page')]);
  });

  it('are refused with the ratio where links or buttons could not be read', () => {
    expect(problemOfColor('#ffee00', 'light')).to.match(
      /^has a contrast of 1\.\d\d:1 with the page \(#ffffff\) in the light/,
    );
    expect(problemOfColor('#767676', 'light'), 'enough on the card, not beside it').to.contain('(#eef2f0)');
    expect(problemOfColor('#003366', 'dark')).to.contain('in the dark scheme, and needs 4.5:1');
    expect(problemOfColor('#003366', 'light')).to.equal(null);
    expect(problemOfColor('#ffee00', 'dark')).to.equal(null);
    expect(problemOfColor('#ffffff', 'light')).to.contain('1.00:1');
  });

  it('that are taken leave every text readable, also under the pointer', () => {
    for (const [scheme, color] of [
      ['light', '#6a5f00'],
      ['light', '#c8102e'],
      ['dark', '#7f8c9a'],
      ['dark', '#ff7a90'],
    ] as const) {
      expect(problemOfColor(color, scheme), color).to.equal(null);
      const style = styleOf({
        primaryColor: null,
        primaryColorDark: null,
        [`primaryColor${scheme === 'dark' ? 'Dark' : ''}`]: color,
      });
      const value = (name: string): string => new RegExp(`--${name}:(#[0-9a-f]{6})`).exec(style)?.[1] ?? '';
      for (const ground of surroundings[scheme].grounds)
        expect(contrastOf(value('link'), ground), `${color} on ${ground}`).to.be.at.least(4.5);
      for (const button of ['button', 'button-hover'])
        expect(contrastOf(value('button-text'), value(button)), `text on ${button} ${color}`).to.be.at.least(4.5);
    }
  });

  it('reach the scheme that they are for and no other', () => {
    expect(styleOf({ primaryColor: null, primaryColorDark: null })).to.equal('');
    expect(styleOf({ primaryColor: '#003366', primaryColorDark: null })).to.match(
      /^@media \(prefers-color-scheme:light\)\{:root\{[^}]+\}\}$/,
    );
    const both = styleOf({ primaryColor: '#003366', primaryColorDark: '#ffee00' });
    expect(both.split('@media')).to.have.length(3);
    expect(both).not.to.match(/[<>"'&;]\s*[<>]/);
  });
});
