import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const commands = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  nginx: ['nginx'],
  openssl: ['openssl'],
  'redis-server': ['redis-server'],
  timeout: ['timeout'],
  prlimit: ['prlimit'],
};

export type ToolName = keyof typeof commands;

/**
 * The path of a tool that npm does not bring. When it is missing, says so in one line and gives undefined, and the
 * suite skips itself; with CI=true it throws instead.
 *
 *     before(function () {
 *       const chromium = requireTool('chromium');
 *       if (chromium === undefined) return this.skip();
 */
export function requireTool(name: ToolName, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const path = commands[name].flatMap((command) => folders.map((folder) => join(folder, command))).find(isExecutable);
  if (path !== undefined) return path;
  if (environment.CI === 'true') throw new Error(`${name} is not installed, and with CI=true no suite may be skipped`);
  console.log(`${name} is not installed: the suite that needs it is skipped`);
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
