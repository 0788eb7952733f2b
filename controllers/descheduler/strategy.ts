// What a strategy is: a reason to move pods, applied to a plan while it is made.
import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import { type Draft, isReadyNode } from "./draft.ts";

export interface Strategy {
  /** Its name in Kubernetes' descheduler. */
  readonly name: string;
  readonly summary: string;
  /** Whether it is applied unless strategies are chosen. */
  readonly isDefault: boolean;
  apply(draft: Draft): void;
}

/** A strategy that looks at one pod after the other: why each should go, or nothing. */
export const perPod = (
  description: Omit<Strategy, "apply">,
  reasonToGo: (pod: Pod, draft: Draft) => string | undefined,
): Strategy => ({
  ...description,
  apply(draft) {
    const kept: { readonly pod: Pod; readonly obstacle: string }[] = [];
    for (const pod of draft.candidates()) {
      if (draft.isFinished()) break;
      const because = reasonToGo(pod, draft);
      const node = draft.nodeNamed(pod.spec.nodeName!);
      // What becomes of the pods of a lost node, its controllers decide.
      if (because === undefined || node === undefined || !isReadyNode(node)) continue;
      const obstacle = draft.move(pod, { strategy: description.name, because });
      if (obstacle !== undefined) kept.push({ pod, obstacle });
    }
    // The move of another pod may have mended it.
    for (const { pod, obstacle } of kept) {
      const because = reasonToGo(pod, draft);
      if (because === undefined) continue;
      draft.notes.push(`${keyOf(pod)} stays on ${pod.spec.nodeName}, though ${because}: ${obstacle}`);
    }
  },
});
