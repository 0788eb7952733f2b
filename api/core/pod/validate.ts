// What can be wrong with a pod, beyond what can be wrong with a template of pods.
import type { Container, Pod } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import type { Draft } from "../../meta.ts";
import { each, forbidden, together } from "../../problems.ts";
import { validateMirrorChange } from "./validate-annotations.ts";
import { validateChange } from "./validate-change.ts";
import { validateImage } from "./validate-container.ts";

const images = (list: readonly Container[] | undefined, path: string): readonly Problem[] =>
  each(list, path, (c, at) => validateImage(c, at));

function validateNew({ spec }: Draft<Pod>): readonly Problem[] {
  return together(
    spec.ephemeralContainers?.length && forbidden("spec.ephemeralContainers", "cannot be set on create"),
    spec.nodeName &&
      spec.schedulingGates?.length &&
      forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"),
  );
}

/** What is wrong with a pod. */
export function validatePod(pod: Draft<Pod>, old?: Pod): readonly Problem[] {
  return together(
    images(pod.spec.containers, "spec.containers"),
    images(pod.spec.initContainers, "spec.initContainers"),
    old ? [...validateMirrorChange(pod, old), ...validateChange(pod, old)] : validateNew(pod),
  );
}
