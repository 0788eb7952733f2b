// DeleteOptions from the body or the query of a request, and their validation.
import { ApiError, type Problem } from "../../api/errors.ts";
import { invalid as wrongField, unsupported } from "../../api/problems.ts";
import { decode, schemaOf } from "../../api/schema.ts";
import type { DeleteOptions } from "../../machinery/client.ts";
import { invalid } from "../registry/refusals.ts";
import { dryRunProblems, parseBody } from "./body.ts";
import type { ApiRequest } from "./request-response.ts";
import { flag, wholeNumber } from "./path.ts";

interface SentOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: readonly string[];
}
/** The options of a deletion. */
export interface Deleting {
  readonly options: DeleteOptions & { readonly dryRun: boolean };
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

function problemsOf({ propagationPolicy, orphanDependents, dryRun = [] }: SentOptions): readonly Problem[] {
  const both = orphanDependents !== undefined && propagationPolicy !== undefined;
  const because = "orphanDependents and deletionPropagation cannot be both set";
  return [
    ...(both ? [wrongField("propagationPolicy", propagationPolicy, because)] : []),
    ...(propagationPolicy === undefined || isPolicy(propagationPolicy)
      ? []
      : [unsupported("propagationPolicy", propagationPolicy, [...policies, "nil"])]),
    ...dryRunProblems(dryRun),
  ];
}

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
    },
    waitsForDependents: orphanDependents === false,
  };
}
