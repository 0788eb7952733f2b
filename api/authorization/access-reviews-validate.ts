// What can be wrong with a question about access: it names one resource or one path, and who would act.
import type { Problem } from "../errors.ts";
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  NonResourceAttributes,
  ResourceAttributes,
} from "../generated/types.ts";
import type { DraftMeta } from "../meta.ts";
import { validateLabelValue, validateQualifiedName } from "../names.ts";
import { forbidden, invalid, required } from "../problems.ts";

interface Question {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
  readonly user?: string;
  readonly groups?: readonly string[];
}
interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** An operator we do not know may be known to whoever answers; the others go with values or without. */
function validateValues({ operator, values = [] }: Requirement, path: string): readonly Problem[] {
  if (["In", "NotIn"].includes(operator) && values.length === 0)
    return [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
  if (["Exists", "DoesNotExist"].includes(operator) && values.length > 0)
    return [forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
  return [];
}

function validateSelection(
  selector: FieldSelectorAttributes | LabelSelectorAttributes | undefined,
  path: string,
  validateRequirement: (r: Requirement, path: string) => readonly Problem[],
): readonly Problem[] {
  if (!selector) return [];
  const { rawSelector = "", requirements = [] } = selector;
  return [
    ...(rawSelector !== "" && requirements.length > 0
      ? [invalid(`${path}.rawSelector`, rawSelector, "may not specified at the same time as requirements")]
      : []),
    ...(rawSelector === "" && requirements.length === 0
      ? [required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`)]
      : []),
    ...requirements.flatMap((r, i) => validateRequirement(r, `${path}.requirements[${i}]`)),
  ];
}

const ofField = (r: Requirement, path: string): readonly Problem[] => [
  ...(r.key ? [] : [required(`${path}.key`, "must be specified")]),
  ...validateValues(r, path),
];
const ofLabel = (r: Requirement, path: string): readonly Problem[] => [
  ...validateValues(r, path),
  ...validateQualifiedName(r.key ?? "", `${path}.key`),
  ...(r.values ?? []).flatMap((v, i) => validateLabelValue(v, `${path}.values[${i}]`)),
];

const pathOfResource = "spec.resourceAttributes";
const exactlyOne = "exactly one of nonResourceAttributes or resourceAttributes must be specified";

/** What is wrong with what is asked. */
export function validateQuestion(spec: Question = {}): readonly Problem[] {
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec;
  const together = "cannot be specified in combination with resourceAttributes";
  return [
    ...(resource && other ? [invalid("spec.nonResourceAttributes", other, together)] : []),
    ...(resource || other ? [] : [invalid(pathOfResource, null, exactlyOne)]),
    ...validateSelection(resource?.fieldSelector, `${pathOfResource}.fieldSelector`, ofField),
    ...validateSelection(resource?.labelSelector, `${pathOfResource}.labelSelector`, ofLabel),
  ];
}

/** What is wrong with who is asked about. */
export const validateSubject = ({ user = "", groups = [] }: Question = {}): readonly Problem[] =>
  user === "" && groups.length === 0
    ? [invalid("spec.user", user, "at least one of user or group must be specified")]
    : [];

/** A question is nobody: it has no name and no labels. */
export function validateNameless(metadata: DraftMeta, detail = "must be empty"): readonly Problem[] {
  const { managedFields: _, ...rest } = metadata;
  return Object.keys(rest).length === 0 ? [] : [invalid("metadata", metadata, detail)];
}
