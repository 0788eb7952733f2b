// Authorization: whether a user may do what a request does. The server is handed an Authorizer; the one here has one
// rule, and role-based ones take its place behind the same interface.

/** An authenticated user, as a certificate or a token names them. */
export interface User {
  readonly name: string;
  /** Distinguishes users that bore the same name at different times. */
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What a request does: a verb on a resource, or on a path that is none. Kubernetes' RequestInfo. */
export interface RequestInfo {
  readonly verb: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly path?: string;
}
/** A request and its user. Kubernetes' authorizer.Attributes. */
export interface RequestAttributes extends RequestInfo {
  readonly user: User;
}
export interface Decision {
  readonly allowed: boolean;
  /** Why, where rules give a reason; shown to the user. */
  readonly reason?: string;
}

/** Decides about requests. A decision that is known at once is not a promise, so that most requests need not wait. */
export interface Authorizer {
  decide(attributes: RequestAttributes): Decision | Promise<Decision>;
}

const trustedGroups = ["system:masters", "system:authenticated"];

/** Allows everything to every authenticated user. */
export const authenticatedUsers: Authorizer = {
  decide: ({ user }) => ({ allowed: user.groups.some((group) => trustedGroups.includes(group)) }),
};
