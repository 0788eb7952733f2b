// What one node enforces of one address family: policies, namespaces, pods of this node and pods of all nodes come in
// one by one, and the table follows. Nothing is looked at again that a change does not concern. Pure.
import type { Namespace, NetworkPolicy, Pod } from "../../api/generated/types.ts";
import type { Key } from "../../api/meta.ts";
import type { Labels } from "../../api/selector.ts";
import { addressBook, type Family } from "./addresses.ts";
import { isolation } from "./isolation.ts";
import { members } from "./members.ts";
import { type PolicyTable, policyTable } from "./table.ts";

/** The states of objects; undefined when one is gone. */
export interface PolicyInputs {
  policy(key: Key, namespace: string, policy: NetworkPolicy | undefined): void;
  namespace(name: string, namespace: Namespace | undefined): void;
  /** A pod of this node, which policies may isolate. */
  subject(key: Key, pod: Pod | undefined): void;
  /** A pod of any node, which policies may allow. */
  peer(key: Key, pod: Pod | undefined): void;
}
export interface Enforcement extends PolicyInputs {
  readonly table: PolicyTable;
}

export function enforcement(family: Family): Enforcement {
  const table = policyTable(family);
  const labels = new Map<string, Labels>();
  const peers = addressBook(family, (address) => sets.refresh(address));
  const sets = members(table, peers, (namespace) => labels.get(namespace ?? ""));
  const subjects = addressBook(family, (address) => isolated.refresh(address));
  const isolated = isolation(table, subjects, sets);
  return {
    table,
    policy: (key, namespace, policy) => isolated.setPolicy(key, policy, namespace),
    namespace(name, namespace) {
      if (namespace) labels.set(name, namespace.metadata.labels ?? {});
      else labels.delete(name);
      for (const address of peers.addresses(name)) sets.refresh(address);
    },
    subject: subjects.set,
    peer: peers.set,
  };
}
