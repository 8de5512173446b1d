import { type Document, isDocument } from './document.js';
import { badValue, CommandError } from './errors.js';
import { refuseUnknownFields } from './fields.js';

/** mongod's `failCommand`: the one fail point there is, which gives tests stepdowns, lost connections and slow replies. */
export interface FailPoint {
  remaining: number;
  readonly commands: string[];
  readonly errorCode: number | undefined;
  readonly errorLabels: string[] | undefined;
  readonly closeConnection: boolean;
  readonly blockMs: number;
  /** Added to the reply of a command that was carried out. */
  readonly writeConcernError: Document | undefined;
}

const DATA_FIELDS = [
  'failCommands',
  'errorCode',
  'errorLabels',
  'closeConnection',
  'blockConnection',
  'blockTimeMS',
  'writeConcernError',
];

export function parseFailPoint(name: unknown, mode: unknown, data: unknown): FailPoint | null {
  if (name !== 'failCommand') throw badValue(`the fail point '${String(name)}' is not supported`);
  if (mode === 'off') return null;
  const remaining = mode === 'alwaysOn' ? Infinity : isDocument(mode) ? mode['times'] : undefined;
  if (typeof remaining !== 'number') throw badValue("the mode of a fail point must be 'alwaysOn', 'off' or {times: n}");
  if (!isDocument(data)) throw badValue('failCommand needs data');
  refuseUnknownFields('failCommand', data, DATA_FIELDS);
  return {
    remaining,
    commands: data['failCommands'] as string[],
    errorCode: data['errorCode'] as number | undefined,
    errorLabels: data['errorLabels'] as string[] | undefined,
    closeConnection: data['closeConnection'] === true,
    blockMs: data['blockConnection'] === true ? Number(data['blockTimeMS'] ?? 0) : 0,
    writeConcernError: data['writeConcernError'] as Document | undefined,
  };
}

/** Counts the fail point down if it is meant for this command. */
export function triggered(failPoint: FailPoint | null, command: string): FailPoint | null {
  if (!failPoint || failPoint.remaining <= 0 || !failPoint.commands.includes(command)) return null;
  failPoint.remaining--;
  return failPoint;
}

export function errorOf(failPoint: FailPoint): CommandError | null {
  if (failPoint.errorCode === undefined) return null;
  const error = new CommandError(failPoint.errorCode, "Failing command via 'failCommand' failpoint");
  if (failPoint.errorLabels) error.labels.push(...failPoint.errorLabels);
  return error;
}
