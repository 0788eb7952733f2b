// The users that components of the server's process act as. They have no credentials: the server makes them up.
import type { User } from "../authorization/authorizer.ts";
import { accountGroups, accountName } from "./claims.ts";

const authenticated = "system:authenticated";
const accountNamespace = "kube-system";

/** A component of the control plane, such as `kube-scheduler`. */
export const componentUser = (component: string): User => ({ name: `system:${component}`, groups: [authenticated] });

/** A controller: the user of a service account in kube-system. */
export const controllerUser = (account: string): User => ({
  name: accountName(accountNamespace, account),
  groups: [...accountGroups(accountNamespace), authenticated],
});
