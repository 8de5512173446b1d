import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createMessageReader, encodeCommand, parseBody } from './wire.js';

/*
 * One process owns a directory. Ownership is a file `owner.<generation>.json`, and only the highest generation counts.
 * It is never deleted by its owner, so generations only grow: whoever finds the owner gone creates the next one, which
 * the file system grants to exactly one process. Deleting a stale lock instead would let a slow second process delete
 * the fresh lock of a fast first one.
 *
 * The proof of life is an answer on the recorded port with the recorded instance id. A process id would not do, since
 * they are used again. All users of a directory must share one loopback interface, that is one machine or container.
 */
export interface Owner {
  readonly port: number;
  readonly pid: number;
  readonly instanceId: string;
}

const OWNER_FILE = /^owner\.(\d+)\.json$/;
const ANSWER_MS = 10_000;

/** The process that serves this directory now, if there is one. */
export async function findLiveOwner(directory: string): Promise<Owner | null> {
  const generation = await latestGeneration(directory);
  const owner = await readFile(fileOf(directory, generation), 'utf8').then(parseOwner, () => null);
  if (!owner) return null;
  const answer = await askInstance(owner.port);
  if (answer === 'silence' && isRunning(owner.pid)) {
    throw new Error(`Process ${owner.pid} holds ${directory}, but does not answer on port ${owner.port}`);
  }
  return answer === owner.instanceId ? owner : null;
}

/** Null for a file that a crash of the machine has left empty. */
function parseOwner(text: string): Owner | null {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return null;
  }
}

/** Makes `self`, which must already answer on its port, the owner; or gives the one there is. */
export async function claimDirectory(directory: string, self: Owner): Promise<Owner> {
  const draft = join(directory, `owner.draft.${self.instanceId}`);
  await writeFile(draft, JSON.stringify(self), { mode: 0o600 });
  try {
    for (;;) {
      const generation = (await latestGeneration(directory)) + 1;
      const owner = await findLiveOwner(directory);
      if (owner) return owner;
      if (await isGranted(directory, draft, generation)) return self;
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** Linking puts the file there complete or not at all, and only if it is not there yet. */
async function isGranted(directory: string, draft: string, generation: number): Promise<boolean> {
  try {
    await link(draft, fileOf(directory, generation));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  // Somebody may have been faster by more than one generation, and have cleaned up behind himself.
  const generations = await generationsIn(directory);
  const latest = Math.max(...generations);
  const outdated = latest > generation ? [generation] : generations.filter((each) => each < generation);
  for (const each of outdated) await rm(fileOf(directory, each), { force: true });
  return latest === generation;
}

/** The instance id behind a port; 'nobody' if nothing of ours listens; 'silence' if it does but does not answer. */
function askInstance(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const read = createMessageReader();
    const settle = (answer: string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_MS, () => settle('silence'));
    socket.on('error', () => settle('nobody'));
    socket.on('close', () => settle('nobody'));
    socket.on('data', (chunk) => {
      try {
        for (const message of read(chunk)) settle(String(parseBody(message)['instanceId']));
      } catch {
        settle('nobody');
      }
    });
    socket.write(encodeCommand({ embeddedInstance: 1, $db: 'admin' }));
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function generationsIn(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names.flatMap((name) => OWNER_FILE.exec(name)?.slice(1).map(Number) ?? []);
}

async function latestGeneration(directory: string): Promise<number> {
  return Math.max(0, ...(await generationsIn(directory)));
}

function fileOf(directory: string, generation: number): string {
  return join(directory, `owner.${generation}.json`);
}
