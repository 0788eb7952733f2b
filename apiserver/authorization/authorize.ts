// Who may do what. For now one rule: whoever the cluster knows may do everything.
import type { User } from "../request/request-response.ts";

/** What somebody wants to do, to a resource or to a path. */
export interface RequestAttributes {
  readonly verb: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly path?: string;
}
/** The decision, and where it is not plain, why. */
export interface Permission {
  readonly allowed: boolean;
  readonly because?: string;
}

/** The administrators, and everybody who has said who they are. */
const trusted = ["system:masters", "system:authenticated"];

/** The single place that decides. Pure: what is known of roles and bindings will come in as an argument. */
export const authorize = (user: User, _attempt: RequestAttributes): Permission => ({
  allowed: user.groups.some((group) => trusted.includes(group)),
});
