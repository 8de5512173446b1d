import type { PlantedFiles } from './planted-tree.js';

/** A tree in which texts are missing, differ, are said by nobody, or stand in a view. */
export const plantedTexts: PlantedFiles = {
  'locales/en.json': '{ "front": { "title": "Welcome, {name}", "lede": "Here", "old": "Once" } }\n',
  'locales/de.json': '{ "front": { "title": "Willkommen, {user}", "old": "Einst", "neu": "Nur hier" } }\n',
  'views/front.ejs': [
    `<h1><%= t('front.title', { name }) %></h1>`,
    `<p aria-label="Spoken"><%= t('front.lede') %> <%= t('front.gone') %></p>`,
    `<p>Written</p>`,
    `<%- include('link', { label: 'Included' }) -%>\n`,
  ].join('\n'),
  'src/oidc/refusing.ts': `export const refuse = (AppError: new (code: string) => Error): Error => new AppError('front.refused');\n`,
};

export const complaintsAboutTexts = [
  'locales/de.json has no text front.lede',
  'locales/de.json alone has a text front.neu',
  'locales/de.json has other places in front.title',
  'views/front.ejs says front.gone, which no catalogue has',
  'nobody says front.old',
  'src/oidc/refusing.ts refuses with front.refused, for which no catalogue has a text',
  'views/front.ejs says “Written” in one language only',
  'views/front.ejs says “Spoken” in one language only',
  'views/front.ejs says “[words for an include]” in one language only',
];
