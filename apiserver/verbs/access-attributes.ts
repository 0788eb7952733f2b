// The request that an access review asks about. Selectors restrict it: what of them cannot be read is left out, so that
// the review is about more objects than the request would be. Source: KEP-4601.
import { type FieldRequirement, parseFieldSelector } from "../../api/field-selector.ts";
import type {
  FieldSelectorAttributes,
  FieldSelectorRequirement,
  LabelSelectorAttributes,
  LabelSelectorRequirement,
  ResourceAttributes,
  SubjectAccessReview,
} from "../../api/generated/types.ts";
import { parseLabelSelector } from "../../api/label-selector.ts";
import type { Requirement } from "../../api/selector.ts";
import type { RequestInfo } from "../authorization/authorizer.ts";

/** What could be read of a selector, and whether that is all of it. */
interface ReadSelector<R> {
  readonly requirements: readonly R[];
  readonly isComplete: boolean;
}
const nothing = { requirements: [], isComplete: false } as const;

function readEach<S, R>(sent: readonly S[], read: (one: S) => R | undefined): ReadSelector<R> {
  const requirements = sent.map(read).filter((one) => one !== undefined);
  return { requirements, isComplete: requirements.length === sent.length };
}

/** A field is compared with one value. */
function fieldRequirement({ key, operator, values = [] }: FieldSelectorRequirement): FieldRequirement | undefined {
  const [value, ...more] = values;
  if (value === undefined || more.length > 0 || (operator !== "In" && operator !== "NotIn")) return undefined;
  return { field: key, equal: operator === "In", value };
}
function readFields({ rawSelector, requirements }: FieldSelectorAttributes): ReadSelector<FieldRequirement> {
  if (requirements?.length) return readEach(requirements, fieldRequirement);
  const parsed = parseFieldSelector(rawSelector ?? "");
  return "wrong" in parsed ? nothing : { ...parsed, isComplete: true };
}

const labelOperators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;
function labelRequirement({ key, operator, values = [] }: LabelSelectorRequirement): Requirement | undefined {
  const known = labelOperators.find((one) => one === operator);
  return known && { key, operator: known, values };
}
function readLabels({ rawSelector, requirements }: LabelSelectorAttributes): ReadSelector<Requirement> {
  if (requirements?.length) return readEach(requirements, labelRequirement);
  const parsed = parseLabelSelector(rawSelector ?? "");
  return "wrong" in parsed ? nothing : { ...parsed, isComplete: true };
}

/** A request, and why it is not exactly the one that was described. */
export interface DescribedRequest {
  readonly info: RequestInfo;
  readonly problems: readonly string[];
}

function problemOf(name: string, selector: ReadSelector<unknown> | undefined): readonly string[] {
  if (!selector || selector.isComplete) return [];
  const extent = selector.requirements.length > 0 ? "partially ignored" : "ignored";
  return [`spec.resourceAttributes.${name} ${extent} due to parse error`];
}

function describedResource(attributes: ResourceAttributes): DescribedRequest {
  const { verb = "", version, fieldSelector, labelSelector, ...of } = attributes;
  const fields = fieldSelector && readFields(fieldSelector);
  const labels = labelSelector && readLabels(labelSelector);
  return {
    info: {
      ...{ ...of, verb, version: version || "*", resource: of.resource ?? "" },
      ...(fields?.requirements.length && { fieldSelector: fields.requirements }),
      ...(labels?.requirements.length && { labelSelector: labels.requirements }),
    },
    problems: [...problemOf("fieldSelector", fields), ...problemOf("labelSelector", labels)],
  };
}

/** The request that the attributes of a review describe. */
export function describedRequest(spec: Partial<SubjectAccessReview["spec"]>): DescribedRequest {
  if (spec.resourceAttributes) return describedResource(spec.resourceAttributes);
  const { verb = "", path = "" } = spec.nonResourceAttributes ?? {};
  return { info: { verb, path }, problems: [] };
}
