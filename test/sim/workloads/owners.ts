// Owners and what they own, of different kinds and in two generations, which users delete by every propagation policy.
import { configMaps } from "../../../api/core/configmaps.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { secrets } from "../../../api/core/secrets.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, key, type OwnerReference } from "../../../api/meta.ts";
import type { Random } from "../../../machinery/world.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import type { Client } from "../../../machinery/client.ts";
import type { Committed, Rule } from "../judge.ts";
import { staleMs } from "./readiness.ts";
import { oneOf, type Workload } from "./workload.ts";

const namespace = "owned";
/** Owners, their dependents, and the dependents of those. */
const generations: readonly ResourceDefinition<any>[] = [configMaps, secrets, serviceAccounts];
const policies = ["Foreground", "Background", "Orphan"] as const;

const isOurs = ({ metadata }: ApiObject): boolean => metadata.namespace === namespace && metadata.labels !== undefined;
const ownersOf = ({ metadata }: ApiObject): readonly OwnerReference[] => metadata.ownerReferences ?? [];
const isWaiting = ({ metadata }: ApiObject): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes("foregroundDeletion") === true;
const isOrphaning = ({ metadata }: ApiObject): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes("orphan") === true;
const found = (committed: Committed, uid: string): ApiObject | undefined =>
  generations.map((kind) => committed.withUid(kind, uid) as ApiObject | undefined).find((o) => o !== undefined);

/** Whether this change is a deletion, or its beginning. */
const isDeleted = (after: ApiObject | undefined, before: ApiObject | undefined): boolean =>
  before !== undefined &&
  before.metadata.deletionTimestamp === undefined &&
  (after === undefined || after.metadata.deletionTimestamp !== undefined);

/** Nothing but the collector deletes a dependent, and that only when each owner is gone or waits for it. */
const kept = (kind: ResourceDefinition<any>): Rule<ApiObject> => ({
  name: "child of a live owner deleted",
  kind,
  broken(after, before, committed) {
    if (!before || !isDeleted(after, before) || !isOurs(before)) return undefined;
    const live = ownersOf(before).filter(({ uid }) => {
      const owner = found(committed, uid);
      return owner !== undefined && !isWaiting(owner);
    });
    return live.length > 0 ? `${kind.plural} ${before.metadata.name} of ${live.map((o) => o.name).join()}` : undefined;
  },
});

/** What existed for a while when its owner was deleted with the policy Orphan outlives that owner. */
function orphans(): readonly Rule<ApiObject>[] {
  const createdAt = new Map<string, number>();
  /** The owners that left a dependent, by its uid. */
  const left = new Map<string, Set<string>>();
  const mark = (owner: ApiObject, committed: Committed): void => {
    for (const kind of generations)
      for (const o of committed.all(kind) as readonly ApiObject[]) {
        const { uid } = o.metadata;
        const isDependent = ownersOf(o).some((reference) => reference.uid === owner.metadata.uid);
        if (!isDependent || committed.at - (createdAt.get(uid) ?? 0) < staleMs) continue;
        left.set(uid, (left.get(uid) ?? new Set()).add(owner.metadata.uid));
      }
  };
  return generations.map((kind) => ({
    name: "orphaned child deleted",
    kind,
    broken(after, before, committed) {
      const o = (after ?? before)!;
      if (!isOurs(o)) return undefined;
      if (!before) createdAt.set(o.metadata.uid, committed.at);
      if (after && isOrphaning(after) && !isOrphaning(before ?? after)) mark(after, committed);
      if (after && before && isOrphaning(after) && before.metadata.deletionTimestamp === undefined)
        mark(after, committed);
      if (!isDeleted(after, before)) return undefined;
      const owners = ownersOf(before!);
      const orphaners = left.get(o.metadata.uid);
      const isLeft = orphaners !== undefined && owners.every(({ uid }) => orphaners.has(uid));
      return isLeft && owners.length > 0 ? `${kind.plural} ${o.metadata.name}` : undefined;
    },
  }));
}

const reference = (kind: ResourceDefinition<any>, { metadata }: ApiObject, random: Random): OwnerReference => ({
  apiVersion: "v1",
  ...{ kind: kind.kind, name: metadata.name, uid: metadata.uid },
  ...(random.next() < 0.5 && { blockOwnerDeletion: true }),
});
const listed = async (user: Client, kind: ResourceDefinition<any>): Promise<readonly ApiObject[]> =>
  ((await user.list(kind, { namespace })).items as readonly ApiObject[]).filter(isOurs);

/** Some objects, each with one or two owners of the generation before. */
async function add(user: Client, random: Random): Promise<void> {
  for (const [i, kind] of generations.entries())
    for (let n = 0; n < 2; n++) {
      const above =
        i === 0 ? [] : (await listed(user, generations[i - 1]!)).filter((o) => !o.metadata.deletionTimestamp);
      const owners = new Set([oneOf(above, random), ...(random.next() < 0.4 ? [oneOf(above, random)] : [])]);
      owners.delete(undefined);
      if (i > 0 && owners.size === 0) continue;
      const ownerReferences = [...owners].map((owner) => reference(generations[i - 1]!, owner!, random));
      const labels = { generation: String(i) };
      const metadata = { namespace, name: `o-${Math.floor(random.next() * 1e9)}`, labels, ownerReferences };
      await user.create(kind, { kind: kind.kind, metadata });
    }
}

export const ownerWorkload: Workload = {
  kinds: generations,
  async begin(user, random) {
    await user.create(namespaces, { kind: "Namespace", metadata: { name: namespace }, spec: {} });
    await add(user, random);
    await add(user, random);
  },
  async meddle(user, random) {
    const dice = random.next();
    if (dice < 0.35) return add(user, random);
    // Owners of the first generation are the users' own, and those of the second as long as nothing owns them.
    const roots = [
      ...(await listed(user, configMaps)),
      ...(await listed(user, secrets)).filter((o) => !ownersOf(o)[0]),
    ];
    const root = oneOf(roots, random);
    if (!root) return add(user, random);
    const kind = root.kind === "ConfigMap" ? configMaps : secrets;
    const propagationPolicy = oneOf(policies, random)!;
    await user.delete(kind as ResourceDefinition<any>, key(namespace, root.metadata.name), { propagationPolicy });
    // A dependent that comes while its owner is deleted.
    if (random.next() < 0.5) await add(user, random);
  },
  rules: () => [...generations.map(kept), ...orphans()],
  unsettled: (committed) =>
    generations.flatMap((kind) =>
      (committed.all(kind) as readonly ApiObject[]).flatMap(({ metadata }) =>
        metadata.namespace === namespace && metadata.deletionTimestamp
          ? [`${metadata.name} is still being deleted`]
          : [],
      ),
    ),
};
