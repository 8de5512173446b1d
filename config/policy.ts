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
    /** Former passwords that nobody takes again: NIST SP 800-63B-4 asks for none. Tenants may ask for up to 24. */
    history: 0,
    /** How old it may be that somebody's tenants were asked how many former passwords are kept. */
    historyCheckSeconds: 86_400,
    /** argon2id, OWASP cheat sheet: m=19456 KiB, t=2, p=1. */
    hash: Object.freeze({ memoryKib: 19_456, iterations: 2, parallelism: 1 }),
    /** Hashes that wait for their turn, and how long; further logins are asked to come again. */
    waitingHashes: 200,
    longestWaitMs: 5000,
  }),
  /**
   * Failed sign-ins at one account (NIST SP 800-63B-4 §3.2.2: never more than 100 in a row). Tenants can be stricter, within
   * the bounds of their policy `signInAttempts` (`src/platform/schemas/tenant-policies.ts`), never weaker.
   */
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
  factors: Object.freeze({
    /** What everybody has to reach at every sign-in: 1 for one factor, 2 for two. Tenants, clients and requests ask for more. */
    everybodysLevel: 1,
    /** How long a secret that was shown waits for its first code. */
    enrolmentSeconds: 15 * 60,
    /** How old the proof may be with which factors are changed. */
    freshSeconds: 10 * 60,
    passkeys: 20,
    challengeSeconds: 5 * 60,
    emailCodeSeconds: 10 * 60,
    emailCodeTries: 5,
    trustedDeviceSeconds: 30 * 86_400,
    /** Wrong codes of one person and method, from wherever (NIST SP 800-63B-4 §3.2.2). All sources are one. */
    attempts: Object.freeze({
      source: Object.freeze({ tries: 5, windowSeconds: 86_400, firstWaitSeconds: 15 * 60, longestWaitSeconds: 86_400 }),
      account: Object.freeze({
        tries: 5,
        windowSeconds: 86_400,
        firstWaitSeconds: 15 * 60,
        longestWaitSeconds: 86_400,
      }),
      consecutiveOfStrangers: 100,
      consecutive: 100,
      forgetSeconds: 400 * 86_400,
    }),
    /** Codes that are sent to one person by e-mail. */
    sendings: Object.freeze({
      source: Object.freeze({ tries: 5, windowSeconds: 3600, firstWaitSeconds: 3600, longestWaitSeconds: 3600 }),
      account: Object.freeze({ tries: 5, windowSeconds: 3600, firstWaitSeconds: 3600, longestWaitSeconds: 3600 }),
      consecutiveOfStrangers: 1000,
      consecutive: 1000,
      forgetSeconds: 86_400,
    }),
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
  /** Of the management API. */
  management: Object.freeze({
    bodyBytes: 256 * 1024,
    depth: 20,
    arrayItems: 1000,
    /** Requests of one user or service account in a second. */
    requestsPerSecond: 50,
    /** Requests without a good token that one address may send in a minute. */
    refusalsPerMinute: 300,
  }),
  invitations: Object.freeze({
    lifetimeSeconds: 7 * 86_400,
    /** Of one tenant that wait for an answer. */
    pending: 500,
    /** How often one may be sent again. */
    sendings: 10,
    /** Mails to one address, from whichever tenants. */
    toAddressAnHour: 5,
    /** Invitations of one tenant that are sent, or sent again. */
    ofTenantAnHour: 500,
  }),
  /** Of e-mail addresses, that tenants have shown to be theirs. */
  domains: Object.freeze({
    /** After which the record that shows it is looked for again. */
    recheckSeconds: 86_400,
    /** How long that record may be gone before the domain is nobody's. */
    graceSeconds: 7 * 86_400,
  }),
  /** What people do with their own accounts. */
  portal: Object.freeze({
    /** Since a person has proven who they are, for what others must not do in their place. */
    freshSeconds: 600,
    /** Between the wish to be deleted and the deletion. */
    deletionGraceSeconds: 7 * 86_400,
    /** Team tenants that one person may own by making them. */
    ownedTeams: 10,
  }),
  apiKeys: Object.freeze({
    lifetimeSeconds: 90 * 86_400,
    longestLifetimeSeconds: 366 * 86_400,
    ofAccount: 20,
    /** Of an account, of those that have expired or are revoked. */
    keptDead: 50,
  }),
  /** Links in mails to people about their own account. */
  actionLinks: Object.freeze({
    /** A new password of an operator: they can do more, so a mailbox is worth less. */
    operatorResetSeconds: 15 * 60,
    lifetimeSeconds: Object.freeze({
      reset_password: 30 * 60,
      verify_email: 86_400,
      sign_up: 86_400,
      change_email: 86_400,
      undo_email_change: 7 * 86_400,
    }),
    /** Mails that may be asked for to one address, of each purpose. */
    toAddressAnHour: 5,
  }),
  accounts: Object.freeze({
    /** How long ago somebody may have proven who they are who changes how they do that. */
    freshProofSeconds: 600,
    /**
     * Second factors that were added so long before a change of address, or later, go when it is undone: a day in which its
     * link could be opened, and the age of the proof with which it was asked for.
     */
    undoneFactorsSeconds: 86_400 + 600,
  }),
  mail: Object.freeze({
    /** Of one process at the same time. */
    atOnce: 10,
    /** For so long no other process takes up what one has taken up: longer than sending, by more than clocks differ. */
    leaseSeconds: 180,
    /** A mail server that has not taken a mail by then is tried again later. */
    sendSeconds: 60,
    /** Of a process that ends; less than it has for draining. */
    stopSeconds: 10,
    /** Mail that another process has queued, or that is due again, is found within this. */
    pollMs: 2000,
    firstRetrySeconds: 2,
    longestRetrySeconds: 3600,
    giveUpSeconds: 86_400,
    /** What could not be delivered is kept, sealed, for whoever looks into it. */
    keepFailedSeconds: 30 * 86_400,
  }),
  /** Telling apps that somebody was signed out. */
  logouts: Object.freeze({
    atOnce: 20,
    leaseSeconds: 60,
    sendSeconds: 10,
    stopSeconds: 5,
    pollMs: 2000,
    firstRetrySeconds: 2,
    longestRetrySeconds: 900,
    giveUpSeconds: 86_400,
    keepFailedSeconds: 7 * 86_400,
  }),
  /** Calls that the server makes. */
  outbound: Object.freeze({ timeoutMs: 2500, answerBytes: 256 * 1024 }),
  /** How long keys at a `jwks_uri` are kept, within which its Cache-Control decides; asked for no more often. */
  clientKeys: Object.freeze({ shortestSeconds: 60, longestSeconds: 15 * 60 }),
  /** Sign-in at upstream providers. */
  connections: Object.freeze({
    ofTenant: 50,
    /** One call; a sign-in takes up to four. */
    outbound: Object.freeze({ timeoutMs: 5000, answerBytes: 256 * 1024 }),
    /** Of all calls of one step of a sign-in: nobody waits longer for a provider. */
    answerSeconds: 10,
    /** Calls in a row that the provider did not answer, after which it is left alone for a while. */
    failures: 5,
    openSeconds: 30,
    /** Calls to one provider at the same time, of one process. */
    atOnce: 100,
    /** Sign-ins that ended with nobody: of each kind and connection so many are recorded in so long. */
    ...{ recordedFailures: 20, recordedFailuresSeconds: 3600 },
    /** How long a discovery document is kept. */
    documentSeconds: 15 * 60,
    /** How long somebody may be away at the provider. */
    transactionSeconds: 10 * 60,
  }),
  shutdown: Object.freeze({
    /** Between "not ready" and closing the door, so that a balancer looks elsewhere first. */
    noticeMs: 1000,
    drainMs: 25_000,
  }),
});

/** Any numbers in the places of these: tests bring their own. */
export type Policy = Numbers<typeof policy>;
type Numbers<T> = T extends number
  ? number
  : T extends boolean
    ? boolean
    : { readonly [Name in keyof T]: Numbers<T[Name]> };
