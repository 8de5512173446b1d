/** What a measured server tells the benchmark: its address, and on request what it has used so far. */
export interface Usage {
  cpuMicroseconds: number;
  rssBytes: number;
}

export function answerParent(issuer: string): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const usage: Usage = { cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() };
    process.send?.(usage);
  });
  process.send?.({ issuer });
}
