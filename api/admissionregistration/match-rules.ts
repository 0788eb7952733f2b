// How policies and what they are bound to are shown.
import type { ParamKind, ParamRef } from "../generated/types.ts";
import { selectorText } from "../selector.ts";

/** Kinds that extend the API go by this name too: `kubectl get api-extensions`. */
export const extensionCategories: readonly string[] = ["api-extensions"];

/** A policy's parameters by kind, as a column shows them. */
export const paramKindText = (kind: ParamKind | undefined): string =>
  kind ? `${kind.apiVersion ?? ""}/${kind.kind ?? ""}` : "<unset>";

/** A binding's parameters, as a column shows them. */
export function paramText(ref: ParamRef | undefined): string {
  if (ref?.name) return `${ref.namespace || "*"}/${ref.name}`;
  return ref?.selector ? selectorText(ref.selector) : "<unset>";
}
