import type { BrowserSession } from './browser-sessions.js';
import { html, type Html } from './html.js';
import type { SignedIn } from './relying-party.js';

export interface Problem {
  heading: string;
  text: string;
  hint: string | null;
}

export function homePage(issuer: string, session: BrowserSession, notice: string | undefined): string {
  const { signedIn, apiAnswer } = session;
  const said = notice === undefined ? null : html`<p class="notice" role="status">${notice}</p>`;
  if (!signedIn) return layout('Demo app', html`${said}${welcome(issuer)}`);
  return layout(
    'Signed in · Demo app',
    html`${said}${actions(signedIn)} ${apiAnswer ? answerOfApi(apiAnswer) : null} ${claimTables(signedIn)}`,
  );
}

export function problemPage({ heading, text, hint }: Problem): string {
  return layout(
    `${heading} · Demo app`,
    html`<section class="card">
      <h1>${heading}</h1>
      <p class="problem" role="alert">${text}</p>
      ${hint === null ? null : html`<p>${hint}</p>`}
      <p><a class="button" href="/">Back to the demo</a></p>
    </section>`,
  );
}

function layout(title: string, content: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <header>
          <p class="brand"><a href="/">Demo app</a></p>
          <p class="muted">A relying party to try the sign-in server with</p>
        </header>
        <main>${content}</main>
      </body>
    </html>`.markup;
}

function welcome(issuer: string): Html {
  return html`<section class="card">
    <h1>Who are you?</h1>
    <p>
      This app does not know. It asks the OpenID Connect server at <code>${issuer}</code>, of which it knows that
      address and its own client id, <code>demo</code>.
    </p>
    <form class="stack" method="post" action="/sign-in">
      <div class="field">
        <label for="tenant">Tenant <span class="muted">(optional)</span></label>
        <input id="tenant" name="tenant" autocomplete="off" autocapitalize="none" spellcheck="false" />
        <p class="muted">A slug such as <code>acme</code>. Left empty, the server asks where there is a choice.</p>
      </div>
      <label class="check"
        ><input type="checkbox" name="prompt" value="select_tenant" /> Let me choose another tenant</label
      >
      <button id="sign-in">Sign in</button>
    </form>
  </section>`;
}

function actions({ idTokenClaims: claims, refreshToken }: SignedIn): Html {
  const refresh = html`<form method="post" action="/refresh">
    <button class="quiet" id="refresh">Refresh the tokens</button>
  </form>`;
  return html`<section class="card">
    <h1>${textOf(claims['name'] ?? claims['email'] ?? claims['sub'])}</h1>
    <p>in the tenant <strong id="tenant-slug">${textOf(claims['tenant_slug'])}</strong></p>
    <div class="actions">
      <form method="post" action="/call-api"><button id="call-api">Call the API</button></form>
      ${refreshToken === undefined ? null : refresh}
      <form method="post" action="/sign-in">
        <input type="hidden" name="prompt" value="select_tenant" />
        <button class="quiet" id="switch-tenant">Switch tenant</button>
      </form>
      <form method="post" action="/sign-out"><button class="quiet" id="sign-out">Sign out</button></form>
    </div>
  </section>`;
}

function answerOfApi({ status, body }: NonNullable<BrowserSession['apiAnswer']>): Html {
  return html`<section class="card" id="api-answer">
    <h2>The API answered <span id="api-status">${status}</span></h2>
    <pre>${JSON.stringify(body, null, 2)}</pre>
  </section>`;
}

function claimTables({ idTokenClaims, accessTokenClaims, userInfo }: SignedIn): Html {
  const opaque = html`<p>It is opaque: only the server can say what it means.</p>`;
  return html`
    ${section('id-token', 'ID token', 'For this app: who signed in, how, and in which tenant.', table(idTokenClaims))}
    ${section(
      'access-token',
      'Access token',
      'For the API, which checks it on its own. An app passes it on and never decides by what is in it.',
      accessTokenClaims ? table(accessTokenClaims) : opaque,
    )}
    ${section('userinfo', 'Userinfo', 'What the server says about the person right now.', table(userInfo))}
  `;
}

function section(id: string, heading: string, explanation: string, content: Html): Html {
  return html`<section class="card" id="${id}">
    <h2>${heading}</h2>
    <p class="muted">${explanation}</p>
    ${content}
  </section>`;
}

function table(claims: Record<string, unknown>): Html {
  const rows = Object.entries(claims).map(([name, value]) => {
    const meaning = meanings[name];
    return html`<tr>
      <th scope="row">
        <code>${name}</code>${meaning === undefined ? null : html`<span class="muted">${meaning}</span>`}
      </th>
      <td>
        <span class="value">${textOf(value)}</span
        >${times.includes(name) ? html`<span class="muted">${timeOf(value)}</span>` : null}
      </td>
    </tr>`;
  });
  return html`<table>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

const times = ['exp', 'iat', 'nbf', 'auth_time', 'updated_at'];

const meanings: Record<string, string> = {
  iss: 'who issued it',
  sub: 'the person, for ever the same',
  aud: 'whom it is for',
  azp: 'which app asked',
  client_id: 'which app asked',
  exp: 'good until',
  iat: 'issued',
  jti: 'number of this token',
  gid: 'the grant behind it',
  nonce: 'ties it to this sign-in',
  at_hash: 'ties it to the access token',
  sid: 'the session at the server',
  auth_time: 'signed in',
  acr: 'how sure',
  amr: 'by what means',
  scope: 'what it allows',
  tenant_id: 'the tenant',
  tenant_slug: 'its short name',
  tenant_type: 'its kind',
  roles: 'the roles there',
  entitlements: 'what its plan opens',
};

function timeOf(seconds: unknown): string {
  return typeof seconds === 'number'
    ? new Date(seconds * 1000).toISOString().replace('.000Z', ' UTC').replace('T', ' ')
    : '';
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
