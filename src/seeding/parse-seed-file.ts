import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import { seedSchema, type Seed, type SeedIssue } from './seed.js';

const maximumBytes = 5 * 1024 * 1024;

/** A seed that cannot be applied. Each problem names the line and why. */
export class SeedError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The seed cannot be applied, and nothing of it was:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
    this.name = 'SeedError';
  }
}

export interface ParsedSeed {
  seed: Seed;
  /** Says where in the file something stands, for problems that only show against the database. */
  describe(issue: SeedIssue): string;
}

/** YAML 1.2 or JSON, which is a part of it. Throws SeedError with every problem of form at once. */
export function parseSeedFile(source: string, fileName: string): ParsedSeed {
  if (Buffer.byteLength(source) > maximumBytes) throw new SeedError([`${fileName}: larger than 5 MiB`]);
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw new SeedError(
      document.errors.map(({ linePos, message }) => `${fileName}:${linePos?.[0].line ?? 1} ${message.split('\n')[0]}`),
    );
  }
  const describe = (issue: SeedIssue): string =>
    `${fileName}:${lineOf(document, lines, issue.path)} ${nameOf(issue.path)} ${issue.message}`;
  const parsed = seedSchema.safeParse(toPlain(document, fileName) ?? {});
  if (parsed.success) return { seed: parsed.data, describe };
  throw new SeedError(
    parsed.error.issues.map((issue) => {
      const path = issue.path as (string | number)[];
      const at = issue.code === 'unrecognized_keys' ? [...path, issue.keys[0] ?? ''] : path;
      return describe({ path: at, message: issue.message });
    }),
  );
}

/** Refuses aliases that name nothing or blow up. */
function toPlain(document: Document, fileName: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    throw new SeedError([`${fileName}:1 ${(error as Error).message}`]);
  }
}

function nameOf(path: readonly (string | number)[]): string {
  return (
    path
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
      .join('')
      .replace(/^\./, '') || 'the file'
  );
}

/** The line of the member itself, or of the nearest thing around it that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
