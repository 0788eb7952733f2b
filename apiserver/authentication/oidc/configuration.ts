// Which outside providers' tokens count, and which user a token is of. Source: AuthenticationConfiguration of
// apiserver.config.k8s.io/v1.

/** The provider of tokens. */
export interface Issuer {
  /** The claim `iss` of its tokens; an address that begins with https. */
  readonly url: string;
  /** Where its configuration is read, if not below `url`. */
  readonly discoveryURL?: string;
  /** The authorities of its certificate, as PEM; those of the system when left out. */
  readonly certificateAuthority?: string;
  /** A token must be for one of them. */
  readonly audiences: readonly string[];
  readonly audienceMatchPolicy?: string;
  readonly egressSelectorType?: string;
}
/** A value of a user: a claim, or the result of an expression. */
export interface ClaimOrExpression {
  readonly claim?: string;
  readonly expression?: string;
}
export interface PrefixedClaimOrExpression extends ClaimOrExpression {
  readonly prefix?: string;
}
export interface ExtraMapping {
  readonly key: string;
  readonly valueExpression: string;
}
/** A condition on claims: a claim has a value, or an expression is true. */
export interface ClaimValidationRule {
  readonly claim?: string;
  readonly requiredValue?: string;
  readonly expression?: string;
  readonly message?: string;
}
export interface UserValidationRule {
  readonly expression: string;
  readonly message?: string;
}
export interface JwtAuthenticator {
  readonly issuer: Issuer;
  readonly claimMappings: {
    readonly username: PrefixedClaimOrExpression;
    readonly groups?: PrefixedClaimOrExpression;
    readonly uid?: ClaimOrExpression;
    readonly extra?: readonly ExtraMapping[];
  };
  readonly claimValidationRules?: readonly ClaimValidationRule[];
  readonly userValidationRules?: readonly UserValidationRule[];
}
/** Whether requests without credentials have a user; with conditions, only those for one of the paths. */
export interface AnonymousConfiguration {
  readonly enabled?: boolean;
  readonly conditions?: readonly { readonly path: string }[];
}
export interface AuthenticationConfiguration {
  readonly jwt?: readonly JwtAuthenticator[];
  readonly anonymous?: AnonymousConfiguration;
}
/** A configuration, and the algorithms that its tokens may be signed with. */
export interface AuthenticationOptions extends AuthenticationConfiguration {
  readonly algorithms: readonly string[];
}
