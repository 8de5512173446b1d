import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import ejs from 'ejs';
import { languages, type Language } from '../../../src/kernel/languages.js';
import { openCatalogues } from '../../../src/platform/i18n/catalogues.js';
import { attributesOf, skeletonOf, tagsOf, textOf } from './html.js';
import { fill, optional, pages } from './pages.js';
import type { Locals, PageName } from './pages.js';

const VIEWS = resolve(import.meta.dirname, '../../../views');
const NAMES = Object.keys(pages) as PageName[];
/** Each is one element with the nonce of its page. */
const withNonce = ['layout/script.ejs', 'layout/colors.ejs'];
const WEB = 'https://app.example.com/';
const HOSTILE = [
  '<script>alert(1)</script>',
  `"><img src=x onerror="alert(1)">'`,
  `' style='x' onload='alert(1)`,
  '</title></main><h1>&lt;&amp;',
  'javascript:alert(1)',
  '%><%- include("/etc/passwd") %>',
];

const CATALOGUES = openCatalogues(resolve(import.meta.dirname, '../../../locales'));

function render(page: PageName, locals: Locals, language: Language = 'en'): Promise<string> {
  const { t, pieces } = CATALOGUES(language);
  const said = { lang: language, t, pieces };
  return ejs.renderFile(join(VIEWS, `${page}.ejs`), Object.assign(Object.create(null) as Locals, locals, said), {});
}

/** The values of a page; names of texts stay, as nobody but us gives those. */
function filled(page: PageName, replace: (key: string, value: string) => string): Locals {
  return fill(pages[page], (key, value) => (CATALOGUES('en').knows(value) ? value : replace(key, value)));
}

function allowed(url: string): boolean {
  return /^(?:https?:\/\/|\/(?!\/))/.test(url);
}

describe('views', () => {
  for (const page of NAMES) {
    describe(page, () => {
      it('is one complete document with one heading, a language, a title and the stylesheet', async () => {
        const html = await render(page, pages[page]);
        const tags = tagsOf(html);
        expect(html).to.match(/^<!doctype html>\n<html lang="en">/);
        expect(tags.filter((tag) => tag.name === 'h1')).to.have.length(1);
        expect(tags.filter((tag) => tag.name === 'main')).to.have.length(1);
        expect(textOf(html, 'title')).to.equal(`${String(pages[page]['title'])} · Gatehouse`);
        expect(tags.filter((tag) => tag.name === 'link').map((tag) => tag.attributes['href'])).to.deep.equal([
          '/assets/style.css',
        ]);
      });

      it('says everything in every language, in the same shape', async () => {
        const english = await render(page, pages[page]);
        for (const language of languages) {
          const html = await render(page, pages[page], language);
          expect(html).to.contain(`<html lang="${language}">`);
          expect(skeletonOf(html)).to.deep.equal(skeletonOf(english));
          if (language !== 'en') expect(textOf(html, 'main')).not.to.equal(textOf(english, 'main'));
        }
      });

      for (const hostile of HOSTILE) {
        it(`keeps its shape when every value is ${hostile}`, async () => {
          const values = filled(page, (key, value) => (/(?:Uri|Url)$/.test(key) ? value : hostile));
          expect(skeletonOf(await render(page, values))).to.deep.equal(skeletonOf(await render(page, pages[page])));
        });

        it(`makes no link of ${hostile} and lets no markup through it`, async () => {
          const inUrls = await render(
            page,
            filled(page, () => hostile),
          );
          const afterUrls = await render(
            page,
            filled(page, () => WEB + hostile),
          );
          for (const html of [inUrls, afterUrls]) {
            // but the one of passkeys, which comes as a file with the nonce of the page
            expect(html.replace(/^<script src="[^"<>]*" nonce="[^"<>]*" defer><\/script>$/m, '')).not.to.match(
              /<script/i,
            );
            expect(html).not.to.match(/<img/i);
            const attributes = attributesOf(html);
            expect(attributes.filter(({ name }) => name === 'style' || name.startsWith('on'))).to.deep.equal([]);
            const links = tagsOf(html).filter((tag) => tag.name === 'a');
            for (const link of links) expect(link.attributes['href']).to.satisfy(allowed);
          }
        });
      }

      it('labels every field, once per id', async () => {
        const tags = tagsOf(await render(page, pages[page]));
        const labels = tags.filter((tag) => tag.name === 'label').map((tag) => tag.attributes['for']);
        const ids = tags.map((tag) => tag.attributes['id']).filter((id) => id !== undefined);
        expect(ids).to.deep.equal([...new Set(ids)]);
        for (const input of tags.filter((tag) => tag.name === 'input' && tag.attributes['type'] !== 'hidden')) {
          expect(labels).to.include(input.attributes['id']);
        }
        for (const { name, value } of attributesOf(tags)) {
          if (/^aria-(?:describedby|labelledby)$/.test(name)) expect(ids).to.include(value);
        }
      });

      it('posts its forms and gives every button a type', async () => {
        const tags = tagsOf(await render(page, pages[page]));
        for (const form of tags.filter((tag) => tag.name === 'form')) {
          // a search changes nothing and can be looked at again
          expect(form.attributes).to.include({ method: form.attributes['id'] === 'find' ? 'get' : 'post' });
        }
        for (const button of tags.filter((tag) => tag.name === 'button')) {
          expect(button.attributes).to.include({ type: 'submit' });
        }
      });

      it('shows nothing for the values that are absent', async () => {
        const bare = { ...pages[page], ...Object.fromEntries(optional[page].map((key) => [key, null])) };
        if ('user' in bare && bare.user !== null) bare.user = { name: null, email: 'ada@example.com' };
        const html = await render(page, bare);
        expect(html).not.to.match(/\b(?:null|undefined|NaN)\b|\[object/);
        expect(tagsOf(html).filter((tag) => tag.name === 'h1')).to.have.length(1);
      });
    });
  }

  it('covers every page there is', () => {
    const found = ['sign-in', 'account', 'errors'].flatMap((folder) =>
      readdirSync(join(VIEWS, folder)).map((file) => `${folder}/${file.replace(/\.ejs$/, '')}`),
    );
    expect(found.sort()).to.deep.equal([...NAMES].sort());
  });

  it('writes unescaped output only to include a part', () => {
    const files = readdirSync(VIEWS, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ejs'));
    expect(files).not.to.be.empty;
    for (const file of files) {
      const source = readFileSync(join(VIEWS, file), 'utf8');
      const raw = source.match(/<%-(?!\s*include\(\s*'(?:\.\.\/layout\/)?[a-z]+'[\s,)]).*/g);
      expect(raw, file).to.equal(null);
      // mail programs load no stylesheet, so a mail brings its own
      const forbidden = file.startsWith('mail/') ? /<script\b|\sstyle=/i : /<(?:script|style)\b|\sstyle=|\stypeof\b/i;
      if (!withNonce.includes(file)) expect(source, file).not.to.match(forbidden);
      else expect(source.match(/<(?:script|style)\b/g), file).to.have.length(1);
    }
  });
});

describe('views: what scripts and people rely on', () => {
  it('sign-in focuses the first field still to be filled', async () => {
    const focused = async (login: string): Promise<unknown> =>
      tagsOf(await render('sign-in/login', { ...pages['sign-in/login'], login })).find(
        (tag) => 'autofocus' in tag.attributes,
      )?.attributes['id'];
    expect(await focused('')).to.equal('login');
    expect(await focused('ada@example.com')).to.equal('password');
  });

  it('sign-in ties its error to both fields and says it in the title', async () => {
    const html = await render('sign-in/login', { ...pages['sign-in/login'], error: 'login.refused' });
    const tags = tagsOf(html);
    expect(tags.find((tag) => tag.attributes['role'] === 'alert')?.attributes['id']).to.equal('error');
    const fields = tags.filter((tag) => ['login', 'password'].includes(tag.attributes['id'] ?? ''));
    expect(fields.map((tag) => tag.attributes['aria-describedby'])).to.deep.equal(['error', 'error']);
    expect(fields.map((tag) => tag.attributes['autocomplete'])).to.deep.equal([
      'username webauthn',
      'current-password',
    ]);
    expect(textOf(html, 'title')).to.match(/^Error: /);
  });

  it('the tenant buttons carry the slug and start with the name', async () => {
    const tenants = Array.from({ length: 500 }, (_, index) => ({
      slug: `acme-${index}`,
      name: `Acme Inc ${index}`,
      typeLabel: 'tenant_types.team',
      roleLabels: ['Owner'],
    }));
    const html = await render('sign-in/pick-tenant', { ...pages['sign-in/pick-tenant'], tenants });
    const buttons = [...html.matchAll(/<button[^>]*name="tenant" value="([^"]+)">(.*?)<\/button>/gs)];
    expect(buttons).to.have.length(500);
    for (const [index, [, slug, inner]] of buttons.entries()) {
      expect(slug).to.equal(`acme-${index}`);
      expect((inner ?? '').replace(/<[^>]+>/g, '')).to.equal(`Acme Inc ${index} Team · Owner`);
    }
  });

  it('the fixed names, ids and values are there', async () => {
    const has = async (page: PageName, wanted: Locals): Promise<void> => {
      const tags = tagsOf(await render(page, pages[page]));
      const match = tags.some((tag) => Object.entries(wanted).every(([key, value]) => tag.attributes[key] === value));
      expect(match, `${page} ${JSON.stringify(wanted)}`).to.equal(true);
    };
    await has('sign-in/login', { name: 'login', id: 'login', type: 'text', inputmode: 'email', required: '' });
    await has('sign-in/login', { name: 'password', id: 'password', type: 'password', required: '' });
    await has('sign-in/login', { name: 'csrf', type: 'hidden', value: 'token' });
    await has('sign-in/login', { id: 'submit', type: 'submit' });
    await has('sign-in/login', { name: 'cancel' });
    await has('sign-in/pick-tenant', { name: 'cancel' });
    await has('sign-in/consent', { id: 'consent-accept', name: 'decision', value: 'accept' });
    await has('sign-in/consent', { id: 'consent-deny', name: 'decision', value: 'deny' });
    await has('sign-in/device-code', { name: 'user_code', id: 'user_code', type: 'text', required: '' });
    await has('sign-in/device-confirm', { id: 'device-confirm', name: 'confirm', value: 'yes' });
    await has('sign-in/device-confirm', { id: 'device-abort', name: 'abort', value: 'yes' });
    await has('sign-in/sign-out', { id: 'logout-confirm', name: 'logout', value: 'yes' });
    await has('sign-in/sign-out', { name: 'xsrf', type: 'hidden', value: 'token' });
  });

  it('links that leave in a new tab give nothing away', async () => {
    const tags = tagsOf(await render('sign-in/consent', pages['sign-in/consent']));
    const links = tags.filter((tag) => tag.name === 'a');
    expect(links).to.have.length(3);
    for (const link of links) expect(link.attributes['rel']).to.equal('noopener noreferrer');
  });
});
