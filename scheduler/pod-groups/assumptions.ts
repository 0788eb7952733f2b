// Pods of a group that are counted on nodes while the others are decided: all are bound, or all are taken back.
import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import type { Binder, PreparedBinding } from "../binding.ts";
import type { PodDecider } from "../decider.ts";
import { unschedulable } from "../framework.ts";
import { type CyclePorts, isSame } from "../ports.ts";
import type { Profile } from "../profiles.ts";
import type { GroupTrial } from "./place-group.ts";

export interface Assumptions {
  readonly trial: GroupTrial;
  /** The pod that was decided last. */
  latest(): Pod | undefined;
  /** Starts the bindings. */
  bind(): void;
  /** As if none of the pods had been decided. */
  undo(): void;
}

/** None yet. */
export function assumptions(
  { view, cache }: Pick<CyclePorts, "view" | "cache">,
  decider: PodDecider,
  binder: Binder,
  profile: Profile,
): Assumptions {
  const held: { readonly binding: PreparedBinding; readonly takeBack: () => void }[] = [];
  let latest: Pod | undefined;
  return {
    latest: () => latest,
    trial: {
      place(pod) {
        latest = pod;
        return decider.place(pod, profile);
      },
      assume(pod, placement) {
        // Deleted while extenders were asked: there is nothing to bind.
        if (!isSame(view.lister.get(keyOf(pod)), pod)) return { plugin: "", status: unschedulable("pod is gone") };
        const takeBack = cache.assume(pod, placement.nodeName);
        const binding = binder.prepare(decider.bindingOf(pod, profile, placement));
        if ("plugin" in binding) takeBack();
        else held.push({ binding, takeBack });
        return "plugin" in binding ? binding : undefined;
      },
    },
    bind() {
      for (const { binding } of held.splice(0)) binder.start(binding);
    },
    undo() {
      for (const { binding, takeBack } of held.splice(0).toReversed()) {
        binder.undo(binding);
        takeBack();
      }
    },
  };
}
