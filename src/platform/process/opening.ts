type Close = () => Promise<unknown>;

/** What a process has opened, in the order in which it is to be closed. */
export interface Opened {
  closeFirst(close: Close): void;
  closeLast(close: Close): void;
  closeAll(): Promise<void>;
}

/** Runs the start of a process; when that fails, closes what it had opened by then. */
export async function opening(start: (opened: Opened) => Promise<void>): Promise<void> {
  const closes: Close[] = [];
  const opened: Opened = {
    closeFirst: (close) => void closes.unshift(close),
    closeLast: (close) => void closes.push(close),
    async closeAll() {
      for (let close = closes.shift(); close; close = closes.shift()) await close();
    },
  };
  try {
    await start(opened);
  } catch (error) {
    await opened.closeAll();
    throw error;
  }
}
