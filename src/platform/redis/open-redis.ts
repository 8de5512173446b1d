import { Redis } from 'ioredis';
import type { Logger } from '../log/logger.js';

export interface RedisConnection {
  client: Redis;
  close(): Promise<void>;
}

const commandTimeoutMs = 200;
const longestReconnectDelayMs = 1000;

/**
 * Connects in the background: Redis holds only what may be lost, so the server starts and serves without it. A command
 * never waits for a connection: it fails at once while there is none, or after 200 ms, and its user has another way.
 */
export function openRedis(url: string, log: Logger): RedisConnection {
  const client = new Redis(url, {
    commandTimeout: commandTimeoutMs,
    // a server that says nothing is given up with its connection, so that no further command waits for it
    socketTimeout: commandTimeoutMs,
    connectTimeout: 2000,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, longestReconnectDelayMs),
  });
  let reachable: boolean | undefined;
  client.on('ready', () => {
    if (reachable === false) log.info('redis is reachable again');
    reachable = true;
  });
  client.on('error', (error) => {
    if (reachable !== false) log.warn({ err: error }, 'redis cannot be reached');
    reachable = false;
  });
  return { client, close: async () => client.disconnect() };
}
