export type SigningAlgorithm = 'ES256' | 'RS256';

/** An API that accepts our tokens. */
export interface Resource {
  /** Absolute URI: the resource indicator (RFC 8707) and the audience of its tokens. */
  identifier: string;
  name: string;
  permissions: string[];
  /** Of these, what every person may do in their own right, whatever their roles. */
  ofEveryone?: readonly string[];
  accessToken: { format: 'jwt' | 'opaque'; alg: SigningAlgorithm; ttlSeconds: number };
  /** Client ids that may introspect tokens for this resource. */
  introspectedBy: string[];
  createdAt: Date;
}
