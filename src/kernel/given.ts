type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** Without what was not given, so that it changes nothing. */
export function given<T extends object>(value: T): Given<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Given<T>;
}
