// Options of requests: ListOptions, DeleteOptions and PodLogOptions, parsed and validated as Kubernetes does, and
// translated for the registry and the kubelet. Pure.
import { type Problem, ApiError } from "../../api/errors.ts";
import { type Revision, revision } from "../../api/meta.ts";
import { forbidden, unsupported, invalid as wrongField, together } from "../../api/problems.ts";
import type { ListOptions, Selection, DeleteOptions } from "../../machinery/client.ts";
import { invalid } from "../registry/refusals.ts";
import { flag, wholeNumber } from "./path.ts";
import { decode, schemaOf } from "../../api/schema.ts";
import { dryRunProblems, parseBody } from "./body.ts";
import { type ApiRequest, termIn } from "./request-response.ts";
import type { WriteOptions } from "../registry/verbs.ts";
import { timeError } from "../../api/times.ts";

/** `metav1.ListOptions`, as the client sends it. */
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

function readOptions(query: URLSearchParams, namespace: string | undefined, forceWatch: boolean): ListQuery {
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
const problemsOfList = (q: ListQuery): readonly Problem[] =>
  together(
    q.resourceVersionMatch !== "" &&
      q.resourceVersion === "" &&
      forbidden(match, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
    q.resourceVersionMatch !== "" &&
      q.continue !== undefined &&
      forbidden(match, "resourceVersionMatch is forbidden when continue is provided"),
    !["", "Exact", "NotOlderThan"].includes(q.resourceVersionMatch) &&
      unsupported(match, q.resourceVersionMatch, ["Exact", "NotOlderThan", ""]),
    q.resourceVersionMatch === "Exact" &&
      q.resourceVersion === "0" &&
      forbidden(match, `resourceVersionMatch "exact" is forbidden for resourceVersion "0"`),
    q.sendInitialEvents !== undefined && forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"),
  );

const problemsOfWatch = ({
  resourceVersionMatch: requested,
  sendInitialEvents,
  continue: token,
}: ListQuery): readonly Problem[] =>
  together(
    sendInitialEvents !== undefined &&
      requested !== "NotOlderThan" &&
      forbidden(match, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    requested !== "" &&
      sendInitialEvents === undefined &&
      forbidden(match, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
    !["", "NotOlderThan"].includes(requested) && unsupported(match, requested, ["NotOlderThan"]),
    requested !== "" &&
      token !== undefined &&
      forbidden(match, "resourceVersionMatch is forbidden when continue is provided"),
  );

/** The options of a request to a collection; what is wrong with them refuses it. */
export function listQuery(query: URLSearchParams, namespace: string | undefined, forceWatch = false): ListQuery {
  const q = withDefaults(readOptions(query, namespace, forceWatch));
  const problems = q.watch ? problemsOfWatch(q) : problemsOfList(q);
  if (problems.length > 0) throw invalid({ group: "meta.k8s.io", plural: "", kind: "ListOptions" }, "", problems);
  return q;
}

/** The revision of a text, or why it is invalid. */
export function parseRevision(value: string): { readonly at: Revision } | { readonly wrong: string } {
  const refused = (because: string): { readonly wrong: string } => ({
    wrong: `resourceVersion: Invalid value: ${JSON.stringify(value)}: strconv.ParseUint: parsing ${JSON.stringify(value)}: ${because}`,
  });
  if (value === "") return { at: revision(0) };
  if (!/^\d+$/.test(value)) return refused("invalid syntax");
  return BigInt(value) > 0xffff_ffff_ffff_ffffn ? refused("value out of range") : { at: revision(Number(value)) };
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

interface SentOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: readonly string[];
}
/** The options of a deletion. */
export interface Deleting {
  readonly options: DeleteOptions & Pick<WriteOptions, "term"> & { readonly dryRun: boolean };
  /** `orphanDependents: false`, the old form of foreground deletion: the reply is 202 while dependents remain. */
  readonly waitsForDependents: boolean;
}

const schema = schemaOf("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions");
const policies = ["Foreground", "Background", "Orphan"];
const isPolicy = (policy: string | undefined): policy is DeleteOptions["propagationPolicy"] & string =>
  policy !== undefined && policies.includes(policy);

function optionsInQuery({ query }: ApiRequest): SentOptions {
  const grace = wholeNumber(query, "gracePeriodSeconds");
  const policy = query.get("propagationPolicy");
  return {
    ...(grace !== undefined && { gracePeriodSeconds: grace }),
    ...(policy !== null && { propagationPolicy: policy }),
    ...(query.has("orphanDependents") && { orphanDependents: flag(query, "orphanDependents") }),
    dryRun: query.getAll("dryRun"),
  };
}

function optionsIn(body: unknown): SentOptions {
  const { value, wrong } = decode(schema, body);
  if (wrong[0]) throw new ApiError("BadRequest", wrong[0].read);
  return value as SentOptions;
}

const problemsOf = ({ propagationPolicy, orphanDependents, dryRun = [] }: SentOptions): readonly Problem[] =>
  together(
    orphanDependents !== undefined &&
      propagationPolicy !== undefined &&
      wrongField("propagationPolicy", propagationPolicy, "orphanDependents and deletionPropagation cannot be both set"),
    propagationPolicy !== undefined &&
      !isPolicy(propagationPolicy) &&
      unsupported("propagationPolicy", propagationPolicy, [...policies, "nil"]),
    dryRunProblems(dryRun),
  );

/** The options of a deletion, from its body or its query. Throws Invalid. */
export function deleteOptions(request: ApiRequest, body: unknown = parseBody(request)): Deleting {
  const sent = body === undefined || body === null ? optionsInQuery(request) : optionsIn(body);
  const problems = problemsOf(sent);
  if (problems.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions", plural: "" }, "", problems);
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions = {}, dryRun = [] } = sent;
  const orphanPolicies = { true: "Orphan", false: "Background" } as const;
  const policy = orphanDependents === undefined ? propagationPolicy : orphanPolicies[`${orphanDependents}`];
  const { uid, resourceVersion } = preconditions;
  return {
    options: {
      ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      ...(isPolicy(policy) && { propagationPolicy: policy }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      dryRun: dryRun.length > 0,
      term: termIn(request),
    },
    waitsForDependents: orphanDependents === false,
  };
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** Spellings of no time, of older clients. */
const beginning: Readonly<Record<string, string>> = { "": "0001-01-01T00:00:00Z", null: "0001-01-01T00:00:00Z" };

function sinceTimeIn(query: URLSearchParams): string | undefined {
  const text = query.get("sinceTime");
  if (text === null || time.test(text)) return text ?? undefined;
  if (beginning[text] !== undefined) return beginning[text];
  throw new ApiError("BadRequest", timeError(text, "date-time"));
}

const positive = "must be greater than 0";

/** The query of the kubelet's log endpoint. Throws Invalid. */
export function logQuery(name: string, query: URLSearchParams): URLSearchParams {
  const [tailLines, limitBytes] = [wholeNumber(query, "tailLines"), wholeNumber(query, "limitBytes")];
  const [sinceSeconds, sinceTime] = [wholeNumber(query, "sinceSeconds"), sinceTimeIn(query)];
  const since = sinceSeconds !== undefined && sinceTime !== undefined;
  const problems = together(
    tailLines !== undefined &&
      tailLines < 0 &&
      wrongField("tailLines", tailLines, "must be greater than or equal to 0"),
    limitBytes !== undefined && limitBytes < 1 && wrongField("limitBytes", limitBytes, positive),
    since && forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"),
    !since && sinceSeconds !== undefined && sinceSeconds < 1 && wrongField("sinceSeconds", sinceSeconds, positive),
    // The feature gate PodLogsQuerySplitStreams (KEP-3288) is off by default in v1.36.
    query.has("stream") && forbidden("stream", "may not be specified"),
  );
  if (problems.length > 0) throw invalid({ group: "", kind: "PodLogOptions", plural: "" }, name, problems);
  const flags = ["follow", "previous", "timestamps"].filter((option) => flag(query, option));
  const values = Object.entries({ tailLines, limitBytes, sinceSeconds, sinceTime });
  return new URLSearchParams([
    ...flags.map((option): [string, string] => [option, "true"]),
    ...values.flatMap(([option, value]): [string, string][] => (value === undefined ? [] : [[option, String(value)]])),
  ]);
}
