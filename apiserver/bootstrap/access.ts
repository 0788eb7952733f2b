// Creates the default roles and bindings, and adds to existing ones what they lack, at every start: a later version may
// have more rules. What an administrator added stays. Source: the Kubernetes page "Using RBAC Authorization",
// "Auto-reconciliation".
import type { ClusterRole } from "../../api/generated/types.ts";
import { hasReason, ifFound } from "../../api/errors.ts";
import { sameJson } from "../../api/hash.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, type Key, key, keyOf } from "../../api/meta.ts";
import { type AccessObject, type Reconciliation, reconciled } from "../../api/rbac/reconcile.ts";
import type { Client } from "../../machinery/client.ts";
import { bootstrapNamespaces } from "./objects.ts";
import { componentRoles } from "./roles/components.ts";
import { controllerRoles } from "./roles/controllers.ts";
import { namespaceRoles } from "./roles/namespaces.ts";
import { ownRoles } from "./roles/own.ts";
import { type AccessRow, autoupdate } from "./roles/text.ts";
import { userRoles } from "./roles/users.ts";

/** All default roles and bindings. */
export const defaultAccess: readonly AccessRow[] = [
  ...userRoles,
  ...componentRoles,
  ...controllerRoles,
  ...namespaceRoles,
  ...ownRoles,
];

/** What is to be done about one object. Of an aggregated role, selectors are added; its rules are the controller's. */
export function accessChange(desired: AccessObject, existing: AccessObject | undefined): Reconciliation {
  const kept = { operation: "none", object: existing ?? desired, missing: [], removed: [] } as const;
  if (existing?.metadata.annotations?.[autoupdate] === "false") return kept;
  const { aggregationRule } = desired as Partial<ClusterRole>;
  if (!existing || !aggregationRule) return reconciled(desired, existing);
  const change = reconciled({ ...desired, rules: [] }, existing);
  const { clusterRoleSelectors: present = [] } = (existing as Partial<ClusterRole>).aggregationRule ?? {};
  const missing = (aggregationRule.clusterRoleSelectors ?? []).filter((s) => !present.some((p) => sameJson(p, s)));
  if (missing.length === 0) return change;
  const object = { ...change.object, aggregationRule: { clusterRoleSelectors: [...present, ...missing] } };
  return { ...change, operation: "update", object };
}

async function apply(client: Client, r: ResourceDefinition, { operation, object }: Reconciliation): Promise<void> {
  if (operation === "none") return;
  const { name, namespace } = object.metadata;
  if (operation === "update") return void (await client.update(r, object as ApiObject));
  if (operation === "recreate") await ifFound(client.delete(r, key(namespace, name)));
  await client.create(r, object as object as Draft<ApiObject>);
}

/** Attempts at one object, which another server may write at the same time. */
const mostAttempts = 3;

async function reconcile(
  client: Client,
  [r, desired]: AccessRow,
  existing: ApiObject | undefined,
  attempts: number = mostAttempts,
): Promise<void> {
  try {
    await apply(client, r, accessChange(desired, existing as AccessObject | undefined));
  } catch (e) {
    if (attempts <= 1 || !hasReason(e, "Conflict", "AlreadyExists", "NotFound")) throw e;
    const { name, namespace } = desired.metadata;
    await reconcile(client, [r, desired], await ifFound(client.get(r, key(namespace, name))), attempts - 1);
  }
}

/** Reconciles roles and bindings, by default all default ones. */
export async function reconcileAccess(client: Client, rows: readonly AccessRow[] = defaultAccess): Promise<void> {
  const ofKind = async ([r, some]: [ResourceDefinition, readonly AccessRow[]]): Promise<void> => {
    const { items } = await client.list(r);
    const existing = new Map<Key, ApiObject>(items.map((object) => [keyOf(object), object]));
    await Promise.all(some.map((row) => reconcile(client, row, existing.get(keyOf(row[1])))));
  };
  await Promise.all([...Map.groupBy(rows, ([r]) => r)].map(ofKind));
}

/** Creates the system namespaces, and reconciles the default roles and bindings. */
export async function bootstrapAccess(client: Client): Promise<void> {
  await bootstrapNamespaces(client);
  await reconcileAccess(client);
}
