// Authorization: whether a user may do what a request does. Authorizers are asked one after the other; the first that
// allows a request decides.
import type { FieldRequirement } from "../../api/field-selector.ts";
import type { PolicyRule, RoleRef } from "../../api/generated/types.ts";
import type { Requirement } from "../../api/selector.ts";
import type { Client } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";

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
  /** Which objects of a collection it is about. Absent without a selector, and for one that cannot be read. */
  readonly fieldSelector?: readonly FieldRequirement[];
  readonly labelSelector?: readonly Requirement[];
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

/** The rules of one user in one namespace. */
export interface ListedRules {
  readonly rules: readonly PolicyRule[];
  /** Whether the user may do nothing beyond them. */
  readonly isComplete: boolean;
  /** What could not be read of them. */
  readonly problems: readonly string[];
}
const noRules: ListedRules = { rules: [], isComplete: true, problems: [] };

/** Decides about requests. A decision that is known at once is not a promise, so that most requests need not wait. */
export interface Authorizer {
  decide(attributes: RequestAttributes): Decision | Promise<Decision>;
  /** The rules by which it allows requests of a user in a namespace, where it has rules. */
  rulesFor?(user: User, namespace: string | undefined): ListedRules;
  /** The rules of a role that a binding in a namespace names; undefined when there is no such role. */
  rulesOf?(roleRef: Pick<RoleRef, "kind" | "name">, namespace: string | undefined): readonly PolicyRule[] | undefined;
}
/** An authorizer that decides by objects of the cluster. */
export interface FollowingAuthorizer extends Authorizer {
  /** Resolves when it knows the present objects; it follows their changes until the signal aborts. */
  follow(client: Client, world: World, signal: AbortSignal): Promise<void>;
}

/** The rules that allow every request. */
export const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/** Allows everything to the members of these groups. */
export const groupsAllowed = (...groups: readonly string[]): Authorizer => {
  const isMember = (user: User): boolean => user.groups.some((group) => groups.includes(group));
  return {
    decide: ({ user }) => ({ allowed: isMember(user) }),
    rulesFor: (user) => (isMember(user) ? { ...noRules, rules: everything } : noRules),
  };
};

/** The group whose members are never refused, so that wrong roles can be repaired. */
export const privilegedGroup = "system:masters";
/** Allows everything to every authenticated user. */
export const authenticatedUsers: Authorizer = groupsAllowed(privilegedGroup, "system:authenticated");

/** Asks each until one allows the request. The reasons of the others are put together. */
export function firstAllowing(...authorizers: readonly Authorizer[]): Authorizer {
  const from = (i: number, request: RequestAttributes, reasons: readonly string[]): Decision | Promise<Decision> => {
    const authorizer = authorizers[i];
    if (!authorizer) return { allowed: false, ...(reasons.length > 0 && { reason: reasons.join("\n") }) };
    const next = (decision: Decision): Decision | Promise<Decision> =>
      decision.allowed
        ? decision
        : from(i + 1, request, decision.reason === undefined ? reasons : [...reasons, decision.reason]);
    const decision = authorizer.decide(request);
    return decision instanceof Promise ? decision.then(next) : next(decision);
  };
  return {
    decide: (request) => from(0, request, []),
    rulesFor(user, namespace) {
      const listed = authorizers.map(({ rulesFor }) => rulesFor?.(user, namespace) ?? noRules);
      return {
        rules: listed.flatMap(({ rules }) => rules),
        isComplete: listed.every(({ isComplete }) => isComplete),
        problems: listed.flatMap(({ problems }) => problems),
      };
    },
    rulesOf: (roleRef, namespace) =>
      authorizers.map(({ rulesOf }) => rulesOf?.(roleRef, namespace)).find((rules) => rules !== undefined),
  };
}
