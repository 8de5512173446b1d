/// <reference lib="dom" />
// The document says what there is, and the answers are as it says: no member more, so no secret either.
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'chai';
import type { Route } from '../../src/management/index.js';
import { send, type Answer } from '../http/requests.js';
import { desktop, useChromium } from '../support/chromium.js';
import { ada, ciKey, webSecret } from '../support/contract-seed.js';
import { closeApps } from '../support/start-app.js';
import { consultant, thirdPartySecret } from '../support/two-tenants.js';
import { keyOf } from './api.js';
import { ask, callerOf } from './callers.js';
import { exampleOf, parametersOf } from './examples.js';
import { newGround, openStage, type ManagementStage } from './ground.js';

interface Operation {
  operationId: string;
  parameters: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
  security: Record<string, string[]>[];
}

interface Document {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

const prefixes: Readonly<Record<string, string>> = {
  ...{
    tenantId: 'ten',
    userId: 'usr',
    ownerId: 'usr',
    createdBy: 'usr',
    roleId: 'rol',
    serviceAccountId: 'sva',
    keyId: 'key',
  },
  ...{ invitationId: 'inv', domainId: 'dom' },
};
const prefixed = /^(ten|usr|rol|sva|key|inv|con|whk|evt|dom)_[0-9a-f]{32}$/;
const utc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** What there never is in an answer, whatever a schema says. */
const forbidden = /hash|sealed|password|_id\b|__v|tokensEndedAt|argon2/i;
/** Shown once, where they are made. */
const showsSecret = new Set(['createApiKey', 'createClient', 'rotateClientSecret']);

/** Of the seed, and of who asks. */
const secrets = [ada.password, consultant.password, ciKey, webSecret, thirdPartySecret, keyOf('platform-owner')];

describe('the OpenAPI document', function () {
  this.timeout(60_000);
  let stage: ManagementStage;
  let document: Document;
  before(async () => {
    stage = await openStage();
    document = (await send(`${stage.issuer}/api/openapi.json`)).json as unknown as Document;
  });
  after(closeApps);
  const { visit } = useChromium();

  const operationOf = ({ method, path }: Route): Operation | undefined =>
    document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];

  function schemaFor(operation: Operation, status: number): object | undefined {
    return Object.values(operation.responses[status]?.content ?? {})[0]?.schema;
  }

  const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
  /** What is wrong with this answer by its schema. */
  function faultsOf(schema: object, answer: Answer): string[] {
    const validate = ajv.compile({ ...schema, components: document.components });
    if (validate(answer.json)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(document as never);
    expect(errors ?? []).to.deep.equal([]);
    expect(valid).to.equal(true);
    expect(document.openapi).to.match(/^3\.1\./);
    expect(document.servers).to.deep.equal([{ url: `${stage.issuer}/api/v1` }]);
  });

  it('holds every operation, and nothing else', () => {
    const { operations, routes } = stage.running.app;
    const named = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const known = operations.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    expect(named.sort()).to.deep.equal(known.sort());
    const served = routes
      .filter(({ path }) => path.startsWith('/api/v1/'))
      .flatMap(({ path, methods }) =>
        methods.filter((method) => method !== 'HEAD').map((method) => `${method} ${path.slice('/api/v1'.length)}`),
      );
    expect(served.sort()).to.deep.equal(operations.map(({ method, path }) => `${method} ${path}`).sort());
  });

  it('says of each what it takes and needs', () => {
    for (const route of stage.running.app.operations) {
      const operation = operationOf(route) as Operation;
      const inPath = operation.parameters.filter(({ in: place, required }) => place === 'path' && required);
      const inQuery = operation.parameters.filter(({ in: place }) => place === 'query').map(({ name }) => name);
      expect(
        inPath.map(({ name }) => name),
        route.operationId,
      ).to.deep.equal(parametersOf(route));
      const known = [...Object.keys(route.query?.shape ?? {}), ...(route.isList ? ['limit', 'cursor'] : [])];
      expect(inQuery, route.operationId).to.deep.equal(known);
      expect(operation.security, route.operationId).to.deep.equal([{ oauth: [route.permission] }]);
      expect(operation.requestBody === undefined, route.operationId).to.equal(route.body === undefined);
      expect(schemaFor(operation, route.status) === undefined, route.operationId).to.equal(route.status === 204);
    }
  });

  it('sec-077 answers are what it says, with no member that it does not name', async () => {
    for (const route of stage.running.app.operations) {
      const ground = await newGround(stage);
      const answer = await ask(await callerOf(route, ground), route, await exampleOf(route, ground));
      expect(answer.status, `${route.operationId} ${answer.text}`).to.equal(route.status);
      const schema = schemaFor(operationOf(route) as Operation, route.status);
      if (!schema) continue;
      expect(faultsOf(schema, answer), `${route.operationId} ${answer.text}`).to.deep.equal([]);
      expect(loosePartsOf(schema), route.operationId).to.deep.equal([]);
      expect(textsNamed(answer.json, forbidden), route.operationId).to.deep.equal([]);
      expect('secret' in answer.json, route.operationId).to.equal(showsSecret.has(route.operationId));
      for (const secret of secrets) expect(answer.text, route.operationId).not.to.contain(secret);
      expect(misspelt(answer.json), `${route.operationId} ${answer.text}`).to.deep.equal([]);
    }
    const logged = stage.running.logLines.join('');
    for (const secret of secrets) expect(logged).not.to.contain(secret);
  });

  it('refusals are what it says too', async () => {
    const problem = document.components.schemas['Problem'] as object;
    for (const route of stage.running.app.operations) {
      const refused = await send(`${stage.issuer}/api/v1${route.path}`, { method: route.method });
      expect(refused.status, route.operationId).to.equal(401);
      expect(faultsOf(problem, refused), `${route.operationId} ${refused.text}`).to.deep.equal([]);
      const schema = schemaFor(operationOf(route) as Operation, 401);
      expect(schema).to.deep.equal({ $ref: '#/components/schemas/Problem' });
    }
  });

  it('/api/docs shows it, asks nobody else, and breaks no policy', async () => {
    const { page, complaints } = await visit(desktop, { javaScriptEnabled: true });
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(`${stage.issuer}/`) && !request.url().startsWith('data:'))
        foreign.push(request.url());
    });
    await page.goto(`${stage.issuer}/api/docs`);
    await page.locator('.opblock').first().waitFor();
    expect(await page.locator('.opblock').count()).to.equal(stage.running.app.operations.length);
    await page.locator('.opblock-summary-control').first().click();
    await page.locator('.opblock-body').first().waitFor();
    expect(foreign).to.deep.equal([]);
    expect(complaints).to.deep.equal([]);
  });
});

interface Part {
  properties?: Record<string, Part>;
  additionalProperties?: unknown;
  items?: Part;
  anyOf?: Part[];
}

/** Objects that would let any member through. Public keys are what they are. */
function loosePartsOf({ properties, additionalProperties, items, anyOf = [] }: Part, path = ''): string[] {
  const isOpen = properties !== undefined && additionalProperties !== false;
  const parts = [
    ...Object.entries(properties ?? {}),
    ...[...(items ? [items] : []), ...anyOf].map((part, index) => [String(index), part] as const),
  ];
  return [...(isOpen ? [path] : []), ...parts.flatMap(([name, part]) => loosePartsOf(part, `${path}/${name}`))];
}

function membersIn(value: unknown): [name: string, value: unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [[name, each] as [string, unknown], ...membersIn(each)]);
}

const textsNamed = (value: unknown, pattern: RegExp): string[] =>
  membersIn(value).flatMap(([name, each]) => (typeof each === 'string' && pattern.test(name) ? [name] : []));

/** Ids without their prefix, and times that are not UTC in RFC 3339, by the names of their members. */
function misspelt(answer: unknown): string[] {
  return membersIn(answer).flatMap(([name, value]) => {
    if (value === null) return [];
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const prefix = prefixes[name];
    const isId = prefix === undefined || (prefixed.test(text) && text.startsWith(`${prefix}_`));
    const isTime = !/(At|After)$/.test(name) || utc.test(text);
    return isId && isTime ? [] : [`${name} ${text}`];
  });
}
