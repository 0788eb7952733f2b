// ListOptions from a query: parsed and validated as Kubernetes does, and translated for the registry. Pure.
import { ApiError, type Problem } from "../../api/errors.ts";
import { type Revision, revision } from "../../api/meta.ts";
import { forbidden, unsupported } from "../../api/problems.ts";
import type { ListOptions, Selection } from "../../machinery/client.ts";
import { invalid } from "../registry/refusals.ts";
import { flag, wholeNumber } from "./path.ts";

/** `metav1.ListOptions`, as given. */
export interface ListQuery extends ListOptions {
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly watch: boolean;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
}

const text = (query: URLSearchParams, name: string): string => query.get(name) ?? "";

const selectionOf = (query: URLSearchParams, namespace: string | undefined): Selection => ({
  ...(namespace !== undefined && { namespace }),
  ...(query.get("labelSelector") && { labelSelector: text(query, "labelSelector") }),
  ...(query.get("fieldSelector") && { fieldSelector: text(query, "fieldSelector") }),
});

function given(query: URLSearchParams, namespace: string | undefined, forceWatch: boolean): ListQuery {
  const timeoutSeconds = wholeNumber(query, "timeoutSeconds");
  const limit = wholeNumber(query, "limit");
  return {
    ...selectionOf(query, namespace),
    ...(limit !== undefined && limit > 0 && { limit }),
    ...(query.get("continue") && { continue: text(query, "continue") }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(query.has("sendInitialEvents") && { sendInitialEvents: flag(query, "sendInitialEvents") }),
    resourceVersion: text(query, "resourceVersion"),
    resourceVersionMatch: text(query, "resourceVersionMatch"),
    watch: forceWatch || flag(query, "watch"),
    allowWatchBookmarks: flag(query, "allowWatchBookmarks"),
  };
}

const isFromNow = ({ resourceVersion }: ListQuery): boolean => resourceVersion === "" || resourceVersion === "0";

/** A watch without a resource version begins with the existing objects. */
const withDefaults = (q: ListQuery): ListQuery =>
  q.watch && isFromNow(q) && q.sendInitialEvents === undefined && q.resourceVersionMatch === ""
    ? { ...q, sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" }
    : q;

const match = "resourceVersionMatch";
const withContinue = (q: ListQuery): readonly Problem[] =>
  q.continue ? [forbidden(match, "resourceVersionMatch is forbidden when continue is provided")] : [];

function problemsOfList(q: ListQuery): readonly Problem[] {
  const { resourceVersionMatch: given, resourceVersion } = q;
  const initial =
    q.sendInitialEvents === undefined
      ? []
      : [forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")];
  if (given === "") return initial;
  return [
    ...(resourceVersion === ""
      ? [forbidden(match, "resourceVersionMatch is forbidden unless resourceVersion is provided")]
      : []),
    ...withContinue(q),
    ...(given === "Exact" || given === "NotOlderThan"
      ? []
      : [unsupported(match, given, ["Exact", "NotOlderThan", ""])]),
    ...(given === "Exact" && resourceVersion === "0"
      ? [forbidden(match, `resourceVersionMatch "exact" is forbidden for resourceVersion "0"`)]
      : []),
    ...initial,
  ];
}

function problemsOfWatch(q: ListQuery): readonly Problem[] {
  const { resourceVersionMatch: given, sendInitialEvents } = q;
  const unmatched =
    sendInitialEvents !== undefined && given !== "NotOlderThan"
      ? [forbidden(match, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")]
      : [];
  if (given === "") return unmatched;
  return [
    ...unmatched,
    ...(sendInitialEvents === undefined
      ? [forbidden(match, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")]
      : []),
    ...(given === "NotOlderThan" ? [] : [unsupported(match, given, ["NotOlderThan"])]),
    ...withContinue(q),
  ];
}

/** The options of a request to a collection; what is wrong with them refuses it. */
export function listQuery(query: URLSearchParams, namespace: string | undefined, forceWatch = false): ListQuery {
  const q = withDefaults(given(query, namespace, forceWatch));
  const problems = q.watch ? problemsOfWatch(q) : problemsOfList(q);
  if (problems.length > 0) throw invalid({ group: "meta.k8s.io", plural: "", kind: "ListOptions" }, "", problems);
  return q;
}

/** The revision a text means, or why it means none. */
export function parseRevision(given: string): { readonly at: Revision } | { readonly wrong: string } {
  const refused = (because: string): { readonly wrong: string } => ({
    wrong: `resourceVersion: Invalid value: ${JSON.stringify(given)}: strconv.ParseUint: parsing ${JSON.stringify(given)}: ${because}`,
  });
  if (given === "") return { at: revision(0) };
  if (!/^\d+$/.test(given)) return refused("invalid syntax");
  return BigInt(given) > 0xffff_ffff_ffff_ffffn ? refused("value out of range") : { at: revision(Number(given)) };
}

/** Which moment a list is to show: that of its token, exactly one, one that is not older, or whichever there is. */
export function momentOf(q: ListQuery): { readonly at?: Revision; readonly atLeast?: Revision } {
  if (q.continue) {
    if (isFromNow(q)) return {};
    throw new ApiError("BadRequest", "specifying resource version is not allowed when using continue");
  }
  const parsed = parseRevision(q.resourceVersion);
  if ("wrong" in parsed) throw new ApiError("BadRequest", `invalid resource version: ${parsed.wrong}`);
  if (parsed.at === 0) return {};
  const exactly = q.resourceVersionMatch === "Exact" || (q.resourceVersionMatch === "" && q.limit !== undefined);
  return exactly ? { at: parsed.at } : { atLeast: parsed.at };
}
