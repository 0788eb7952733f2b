// Removes the protection finalizer of a deleted pod group once none of its pods is active.
import { podGroupFinalizer, podGroupKeyOf, podGroups } from "../../api/scheduling/podgroups.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import { pods } from "../../api/core/pods.ts";
import type { Pod, PodGroup } from "../../api/generated/types.ts";
import type { Key } from "../../api/meta.ts";
import { controller, type Decision, settled, watch } from "../../machinery/controller.ts";
import { withoutFinalizer } from "../storageprotection/controller.ts";

interface Observed {
  readonly group: PodGroup;
  readonly pods: readonly Pod[];
}

export const decide = ({ group, pods }: Observed): Decision =>
  group.metadata.deletionTimestamp !== undefined && pods.every(isTerminal)
    ? withoutFinalizer(podGroups, group, podGroupFinalizer)
    : settled;

const groupKeysOf = (pod: Pod): readonly Key[] => {
  const group = podGroupKeyOf(pod);
  return group === undefined ? [] : [group];
};

export const podGroupProtectionController = controller({
  ...{ name: "podgroupprotection", account: "podgroup-protection-controller" },
  reconciles: podGroups,
  watches: [watch(pods, groupKeysOf, { podGroup: groupKeysOf })],
  writes: [{ kind: podGroups, verbs: ["update"] }],
  observe(views, k) {
    const group = views.of(podGroups).get(k);
    return group && { group, pods: views.of(pods).byIndex("podGroup", k) };
  },
  decide,
});
