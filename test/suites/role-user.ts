// A user of a test server who has a role of one namespace, and nothing else.
import type { PolicyRule } from "../../api/generated/types.ts";
import { roleBindings } from "../../api/rbac/rolebindings.ts";
import { roles } from "../../api/rbac/roles.ts";
import type { Pem } from "../../cli/cluster/pki.ts";
import type { TestServer } from "./listening.ts";

/** Creates a role with these rules and binds it to the user of the same name. Resolves with the user's certificate. */
export async function userWithRole(
  server: TestServer,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  rules: readonly PolicyRule[],
): Promise<Pem> {
  const metadata = { name, namespace };
  const apiGroup = "rbac.authorization.k8s.io" as const;
  const subjects = [{ kind: "User", name, apiGroup } as const];
  const roleRef = { kind: "Role", name, apiGroup } as const;
  await server.inProcess.create(roles, { kind: "Role", metadata, rules });
  await server.inProcess.create(roleBindings, { kind: "RoleBinding", metadata, subjects, roleRef });
  return server.authority.issue({ name, use: "client" });
}
