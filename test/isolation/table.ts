import { accountQuestions } from './account-questions.js';
import { authorizeQuestions } from './authorize-questions.js';
import { deviceQuestions } from './device-questions.js';
import type { Question } from './question.js';
import { signInQuestions } from './sign-in-questions.js';
import { signOutQuestions } from './sign-out-questions.js';
import { aboutTokenQuestions, pushedQuestions, tokenQuestions, userinfoQuestions } from './token-questions.js';

/** Every question there is to a route that can name something of a tenant. A new route stands here, or below. */
export const questions: readonly Question[] = [
  ...authorizeQuestions,
  ...signInQuestions,
  ...signOutQuestions,
  ...tokenQuestions,
  ...aboutTokenQuestions,
  ...pushedQuestions,
  ...userinfoQuestions,
  ...deviceQuestions,
  ...accountQuestions,
];

/** Routes that carry nothing of a tenant, and why. */
export const routesOfNobody: Readonly<Record<string, string>> = {
  'GET /.well-known/openid-configuration': 'one public document',
  'GET /.well-known/oauth-authorization-server': 'one public document',
  'GET /oauth2/jwks': 'one public document: the keys are of the installation',
  'GET /': 'one public page',
  'GET /invitations/joined': 'one public page, which knows nothing of who came',
  'GET /invitations/:token':
    'leads whoever has the token, which nobody can guess, to a sign-in and tells nothing of the tenant',
  'GET /.well-known/change-password': 'leads everybody to the same page',
  ...Object.fromEntries(
    ['recover', 'sign-up', 'verify-email', 'change-email', 'undo-email-change'].flatMap((path) => [
      [`GET /${path}/done`, 'one public page, which knows nothing of who came'],
      [`GET /${path}/:token`, 'names what whoever has the token, which nobody can guess, was sent by mail'],
      [`POST /${path}/:token`, 'does what whoever has the token, which nobody can guess, was sent by mail'],
    ]),
  ),
  ...Object.fromEntries(
    ['recover', 'sign-up'].flatMap((path) => [
      [`GET /${path}`, 'one public page'],
      [`POST /${path}`, 'answers the same for every address, and sends mail to that address alone'],
    ]),
  ),
  ...Object.fromEntries(
    [
      ...[
        'GET /account/profile',
        'GET /account/email',
        'GET /account/password',
        'GET /account/activity',
        'GET /account/tenants',
      ],
      ...['GET /account/sessions', 'GET /account/invitations', 'GET /account/apps', 'GET /account/data'],
      'GET /account/terms',
      ...[
        'GET /account/delete',
        'POST /account/profile',
        'POST /account/email',
        'POST /account/email/verify',
        'POST /account/password',
        'POST /account/data',
      ],
      ...['GET /account/identities', 'GET /account/identities/return'],
      ...['GET /account/factors', 'GET /account/factors/app', 'GET /account/factors/passkey'],
      ...['POST /account/factors/app', 'POST /account/factors/passkey', 'POST /account/factors/email'],
      ...['POST /account/factors/recovery-codes', 'POST /account/factors/forget-browsers'],
      ...['POST /account/sessions/end-others', 'POST /account/sessions/end-all', 'POST /account/delete'],
      ...['POST /account/tenants/create', 'POST /account/invitations/accept'],
    ].map((route) => [route, 'of whoever is signed in, as GET /account; names nothing else that could be foreign']),
  ),
  'GET /connections/callback/:connectionId': 'leads to the sign-in that the state names, and reads nothing of it',
  'POST /connections/callback/:connectionId': 'leads to the sign-in that the state names, and reads nothing of it',
  'GET /account/return': 'leads to one of our own pages and reads nothing',
  'GET /account/signed-out': 'one public page',
  'GET /account/deletion/:token': 'of whoever has the token, which nobody can guess',
  'POST /account/deletion/:token': 'of whoever has the token, which nobody can guess',
  'GET /api/openapi.json': 'one public document',
  'GET /.well-known/oauth-protected-resource/api': 'one public document',
  'GET /api/docs': 'one public page',
  'GET /assets/:style': 'one public file, under a name made of its content',
  'GET /logos/:digest': 'a picture that stands on public pages, under a name made of its content',
  'GET /favicon.ico': 'one public file',
  'GET /health/live': 'takes nothing',
  'GET /health/ready': 'takes nothing',
};

/** Parameters that name nothing of a tenant, wherever they are sent, and why. */
export const parametersOfNobody: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'response_type',
      'response_mode',
      'grant_type',
      'token_type_hint',
      'subject_token_type',
      'requested_token_type',
      'error',
    ].map((name) => [name, 'a word of the protocol']),
  ),
  ...Object.fromEntries(
    ['state', 'nonce', 'max_age', 'prompt', 'ui_locales', 'acr_values', 'claims', 'code_challenge_method'].map(
      (name) => [name, 'says what who asks wishes, and names nothing that is stored'],
    ),
  ),
  ...Object.fromEntries(
    ['code_challenge', 'code_verifier'].map((name) => [
      name,
      'a proof made by who asks, compared with its own request',
    ]),
  ),
  ...Object.fromEntries(
    ['invitation', 'as'].map((name) => [name, 'a token that only its mailbox was sent, or a wish of who asks']),
  ),
  factor: 'what this person is setting up, looked for among their own',
  ...Object.fromEntries(
    ['redirect_uri', 'post_logout_redirect_uri'].map((name) => [name, 'compared with what the client has registered']),
  ),
  ...Object.fromEntries(
    ['scope', 'resource', 'audience'].map((name) => [name, 'APIs and their permissions are of the platform']),
  ),
  ...Object.fromEntries(
    [
      ...['name', 'password', 'logout', 'decision', 'cancel', 'confirm', 'from'],
      ...['code', 'method', 'remember', 'send', 'response', 'ticket', 'accept', 'tenant_version', 'locale'],
    ].map((name) => [name, 'what a person types or presses in their own form']),
  ),
};
