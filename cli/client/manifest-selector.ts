// Selects objects of manifests by their labels.
import { parseLabelSelector } from "../../api/label-selector.ts";
import { matches } from "../../api/selector.ts";
import { CliError } from "../cli-error.ts";
import type { Target } from "./targets.ts";

/** Whether the labels of a manifest match a selector; every manifest matches none. */
export function matchesSelector({ manifest }: Target, selector: string | undefined): boolean {
  if (!selector) return true;
  const parsed = parseLabelSelector(selector);
  if ("wrong" in parsed) throw new CliError(parsed.wrong);
  return matches(parsed.requirements, manifest!.object.metadata.labels);
}
