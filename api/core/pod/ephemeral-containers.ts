// The ephemeralcontainers subresource: which part of a write applies, and that ephemeral containers are immutable.
// Pure.
import { unifiedDiff } from "../../unified-diff.ts";
import type { Problem } from "../../errors.ts";
import type { Pod } from "../../generated/types.ts";
import { sameJson } from "../../hash.ts";
import { forbidden, together } from "../../problems.ts";
import { isMirrorPod } from "./mirror.ts";
import { validatePodSpec } from "./rules.ts";

/** The current pod with the ephemeral containers of the update. */
export function withEphemeralContainers(current: Pod, update: Pod): Pod {
  const { uid, resourceVersion } = update.metadata;
  const { ephemeralContainers: _, ...spec } = current.spec;
  const joined = update.spec?.ephemeralContainers;
  return {
    ...current,
    metadata: { ...current.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
    spec: { ...spec, ...(joined && { ephemeralContainers: joined }) },
  };
}

const path = "spec.ephemeralContainers";

/** Ephemeral containers can be added, but not removed or changed. */
export function validateEphemeralChange(next: Pod, old: Pod): readonly Problem[] {
  const isStatic = isMirrorPod(old);
  const kept = (old.spec.ephemeralContainers ?? []).flatMap((before) => {
    const now = next.spec.ephemeralContainers?.find((c) => c.name === before.name);
    const name = JSON.stringify(before.name);
    if (now === undefined) return [forbidden(path, `existing ephemeral containers ${name} may not be removed\n`)];
    if (sameJson(now, before)) return [];
    return [forbidden(path, `existing ephemeral containers ${name} may not be changed\n${unifiedDiff(before, now)}`)];
  });
  return together(
    isStatic && forbidden("[]", "static pods do not support ephemeral containers"),
    validatePodSpec(next.spec, "spec"),
    kept,
  );
}
