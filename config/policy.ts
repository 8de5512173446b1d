import { addressLimits } from './address-limits.js';

/**
 * The numbers and limits that the product promises. They are defaults of the security design (RFC 9700, NIST SP
 * 800-63B-4, OWASP ASVS 5.0), not settings: an operator changes none of them by environment.
 */
export const policy = Object.freeze({
  lifetimes: Object.freeze({
    accessTokenSeconds: 600,
    idTokenSeconds: 600,
    authorizationCodeSeconds: 60,
    pushedRequestSeconds: 60,
    /** How long an assertion with which a client authenticates may still live when it arrives. */
    clientAssertionSeconds: 5 * 60,
    deviceCodeSeconds: 600,
    /** How long a device waits between two polls. */
    devicePollSeconds: 5,
    interactionSeconds: 20 * 60,
    /** How long a refresh token may lie unused. */
    refreshTokenSeconds: 14 * 86_400,
    /** A grant outlives every refresh token of it; past this the person signs in again. */
    grantSeconds: 90 * 86_400,
    /** How long an archived tenant can be made active again before it is deleted. */
    deletionGraceSeconds: 30 * 86_400,
    sessionIdleSeconds: 3600,
    sessionAbsoluteSeconds: 12 * 3600,
    /** Every cached decision about rights ends after this. */
    decisionCacheSeconds: 2,
    /** What belongs to a tenant is kept while its revision stands (read as often as above), and no longer than this. */
    unrevisedCacheSeconds: 60,
  }),
  passwords: Object.freeze({
    minimumLength: 15,
    maximumLength: 128,
    /** argon2id, OWASP cheat sheet: m=19456 KiB, t=2, p=1. */
    hash: Object.freeze({ memoryKib: 19_456, iterations: 2, parallelism: 1 }),
    /** Hashes that wait for their turn, and how long; further logins are asked to come again. */
    waitingHashes: 200,
    longestWaitMs: 5000,
  }),
  /** Failed sign-ins at one account (NIST SP 800-63B-4 §3.2.2: never more than 100 in a row). */
  signInAttempts: Object.freeze({
    /** From one client address, or on one device on which the person has signed in before. */
    source: Object.freeze({ tries: 5, windowSeconds: 15 * 60, firstWaitSeconds: 60, longestWaitSeconds: 3600 }),
    /** From everywhere; makes all wait but those devices. */
    account: Object.freeze({ tries: 20, windowSeconds: 3600, firstWaitSeconds: 60, longestWaitSeconds: 3600 }),
    /** The rest up to `consecutive` is kept for those devices, so that nobody else can use it up. */
    consecutiveOfStrangers: 80,
    consecutive: 100,
    forgetSeconds: 400 * 86_400,
    knownDeviceSeconds: 180 * 86_400,
  }),
  addressLimits,
  limits: Object.freeze({
    bodyBytes: 56 * 1024,
    urlBytes: 8 * 1024,
    headerBytes: 16 * 1024,
    headers: 200,
    /** Of a query and of a form. */
    parameters: 100,
    /** One value, by the name of its parameter; a token or key in JWT form is the longest there is. */
    valueBytes: Object.freeze({ scope: 1024, nonce: 1024, state: 4096, other: 16 * 1024 }),
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 15_000,
    keepAliveTimeoutMs: 65_000,
    /** Of one process; what comes beyond is told to come back. */
    requestsInFlight: 1000,
  }),
  shutdown: Object.freeze({
    /** Between "not ready" and closing the door, so that a balancer looks elsewhere first. */
    noticeMs: 1000,
    drainMs: 25_000,
  }),
});

/** Any numbers in the places of these: tests bring their own. */
export type Policy = Numbers<typeof policy>;
type Numbers<T> = T extends number ? number : { readonly [Name in keyof T]: Numbers<T[Name]> };
