// Binding: assigns a pod to a node; a request without a stored object.
import type { Binding } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { required, together, unsupported } from "../problems.ts";

export type { Binding } from "../generated/types.ts";

/** The target of a binding is a node. */
export function validateBinding({ target }: Draft<Binding>): readonly Problem[] {
  return together(
    target?.kind && target.kind !== "Node" && unsupported("target.kind", target.kind, ["Node", "<empty>"]),
    !target?.name && required("target.name"),
  );
}

export const bindings = define<Binding>({
  group: "",
  kind: "Binding",
  scope: "Namespaced",
  virtual: "review",
  validate: validateBinding,
});
