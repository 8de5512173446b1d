/** A server of Node that does nothing but answer, with as much as JWKS: what no server on it can be cheaper than. */
import { createServer } from 'node:http';
import { listen } from '../../src/platform/http/server.js';
import { answerParent } from './child.js';

const body = Buffer.alloc(800, 'x');
const headers = ['Content-Type', 'application/json', 'Content-Length', String(body.length)];
const server = createServer((_req, res) => res.writeHead(200, headers).end(body));
answerParent(`http://localhost:${await listen(server, 0, '127.0.0.1')}`);
process.on('disconnect', () => process.exit(0));
