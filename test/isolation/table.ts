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
];

/** Routes that carry nothing of a tenant, and why. */
export const routesOfNobody: Readonly<Record<string, string>> = {
  'GET /.well-known/openid-configuration': 'one public document',
  'GET /.well-known/oauth-authorization-server': 'one public document',
  'GET /oauth2/jwks': 'one public document: the keys are of the installation',
  'GET /': 'one public page',
  'GET /assets/:style': 'one public file, under a name made of its content',
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
    ].map((name) => [name, 'a word of the protocol']),
  ),
  ...Object.fromEntries(
    ['state', 'nonce', 'max_age', 'prompt', 'ui_locales', 'acr_values', 'code_challenge_method'].map((name) => [
      name,
      'says what who asks wishes, and names nothing that is stored',
    ]),
  ),
  ...Object.fromEntries(
    ['code_challenge', 'code_verifier'].map((name) => [
      name,
      'a proof made by who asks, compared with its own request',
    ]),
  ),
  ...Object.fromEntries(
    ['redirect_uri', 'post_logout_redirect_uri'].map((name) => [name, 'compared with what the client has registered']),
  ),
  ...Object.fromEntries(
    ['scope', 'resource', 'audience'].map((name) => [name, 'APIs and their permissions are of the platform']),
  ),
  ...Object.fromEntries(
    ['password', 'logout', 'decision', 'cancel'].map((name) => [
      name,
      'what a person types or presses in their own form',
    ]),
  ),
};
