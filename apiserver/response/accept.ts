// In which form a client wants its objects: as they are, as a table, or as metadata alone; and in which writing. Pure.
import { ApiError } from "../../api/errors.ts";

/** The forms an object or a list can be served in. */
export type Form = "Plain" | "Table" | "Metadata";

/** What a client gets of what it would accept. */
export interface Accepted {
  readonly form: Form;
  /** Of the form: tables and metadata have been called by two versions, and are the same in both. */
  readonly version: "v1" | "v1beta1";
  /** Metadata of a list is asked for by another name than that of an object. */
  readonly isList: boolean;
  readonly writing: "json" | "yaml";
  readonly pretty: boolean;
}

const forms: Readonly<Record<string, Form>> = {
  Table: "Table",
  PartialObjectMetadata: "Metadata",
  PartialObjectMetadataList: "Metadata",
};

/** One alternative of an Accept header, with its parameters. */
interface Alternative {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** From 0 to 1; what is no number is as good as nothing said. */
const quality = ({ parameters: { q = "1" } }: Alternative): number => Number(q) || (Number(q) === 0 ? 0 : 1);
/** The more a type leaves open, the later it is tried. */
const openness = ({ type }: Alternative): number => type.split("/").filter((part) => part === "*").length;

const parsed = (accept: string): readonly Alternative[] =>
  accept
    .split(",")
    .map((part): Alternative => {
      const [type = "", ...parameters] = part.split(";").map((p) => p.trim());
      return {
        type: type.toLowerCase(),
        parameters: Object.fromEntries(parameters.map((p) => p.split("=", 2) as [string, string])),
      };
    })
    .toSorted((a, b) => quality(b) - quality(a) || openness(a) - openness(b));

// Every request has such a header, and clients have few: as many are kept as there may be sorts of clients.
const known = new Map<string, readonly Alternative[]>();
const mostKnown = 100;

/** The alternatives of an Accept header, the most wanted first. */
export function alternatives(accept: string | undefined): readonly Alternative[] {
  const header = accept || "*/*";
  let found = known.get(header);
  if (!found) {
    found = parsed(header);
    if (known.size >= mostKnown) known.clear();
    known.set(header, found);
  }
  return found;
}

const includes = (type: string, writing: string): boolean =>
  [`application/${writing}`, "application/*", "*/*"].includes(type);

/** What this alternative would be answered with, if it can be answered. */
function offer(
  { parameters }: Alternative,
  served: readonly Form[],
  writing: Accepted["writing"],
): Accepted | undefined {
  const { as, g, v, stream, sv, pretty } = parameters;
  if (stream && (stream !== "watch" || writing === "yaml")) return undefined;
  if (sv && sv !== "v1") return undefined;
  const rest = { writing, pretty: pretty === "1" };
  if (as === undefined && g === undefined && v === undefined)
    return served.includes("Plain") ? { form: "Plain", version: "v1", isList: false, ...rest } : undefined;
  const form = forms[as ?? ""];
  if (!form || !served.includes(form) || g !== "meta.k8s.io" || (v !== "v1" && v !== "v1beta1")) return undefined;
  return { form, version: v, isList: as === "PartialObjectMetadataList", ...rest };
}

const everyForm: readonly Form[] = ["Plain", "Table", "Metadata"];

/** The most wanted alternative that can be served, if there is one. */
export function accepted(accept: string | undefined, served: readonly Form[] = everyForm): Accepted | undefined {
  for (const alternative of alternatives(accept))
    for (const writing of ["json", "yaml"] as const) {
      const found = includes(alternative.type, writing) ? offer(alternative, served, writing) : undefined;
      if (found) return found;
    }
  return undefined;
}

const notAcceptable = (types: string): ApiError =>
  new ApiError("NotAcceptable", `only the following media types are accepted: ${types}`);

/** The same, and a refusal when there is none. */
export function negotiated(accept: string | undefined, served?: readonly Form[]): Accepted {
  const found = accepted(accept, served);
  if (!found) throw notAcceptable("application/json, application/yaml");
  return found;
}

/** Of a watch: only JSON has a place for one event after the other. */
export function negotiatedStream(accept: string | undefined): Accepted {
  const found = negotiated(accept);
  if (found.writing !== "json") throw notAcceptable("application/json;stream=watch");
  return found;
}
