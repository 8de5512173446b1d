import type { Message } from './message.js';

/** What a person would call the browser and the machine that a request came from; null where its name is not known. */
export interface Software {
  browser: string | null;
  system: string | null;
}

/** The first that is found counts: most browsers also name those that they want to be taken for. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\b(?:Edg|EdgA|EdgiOS)\//, 'Edge'],
  [/\b(?:OPR|OPiOS)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|Chromium|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bVersion\/[\d.]+.*\bSafari\//, 'Safari'],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

/** Longer ones are no browser's. */
const longest = 512;

/** Reads a User-Agent field. It is a hint for people, who choose among their own sessions; nothing is decided by it. */
export function softwareOf(userAgent: string): Software {
  const text = userAgent.slice(0, longest);
  return { browser: named(browsers, text), system: named(systems, text) };
}

/** As a person is told of it. */
export function nameOfSoftware(software: Software | null): Message {
  const browser: string | Message = software?.browser ?? { key: 'sessions.a_browser' };
  const { system } = software ?? {};
  return system
    ? { key: 'sessions.browser_on', values: { browser, system } }
    : { key: 'sessions.browser', values: { browser } };
}

function named(names: readonly (readonly [RegExp, string])[], text: string): string | null {
  return names.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
