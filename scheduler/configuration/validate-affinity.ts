// Validation of the node affinity of a profile, with the messages of kube-scheduler, which differ from those for pods.
import type { NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm } from "../../api/generated/types.ts";
import type { Problem } from "../../api/errors.ts";
import { validateLabelValue, validateQualifiedName } from "../../api/names.ts";
import { each, invalid, type Outcome, together, unsupported } from "../../api/problems.ts";

const operators = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] as const;

function valuesProblem({ operator, values }: NodeSelectorRequirement, path: string): Outcome {
  const count = values?.length ?? 0;
  switch (operator) {
    case "In":
    case "NotIn":
      return count === 0 && invalid(path, values ?? null, "for 'in', 'notin' operators, values set can't be empty");
    case "Exists":
    case "DoesNotExist":
      return count > 0 && invalid(path, values, "values set must be empty for exists and does not exist");
    default:
      if (count !== 1) return invalid(path, values ?? null, "for 'Gt', 'Lt' operators, exactly one value is required");
      return each(
        values,
        path,
        (value, at) =>
          !/^[+-]?\d+$/.test(value) && invalid(at, value, "for 'Gt', 'Lt' operators, the value must be an integer"),
      );
  }
}

function validateRequirement(requirement: NodeSelectorRequirement, path: string): readonly Problem[] {
  const { key = "", operator, values } = requirement;
  if (!operators.includes(operator)) return [unsupported(`${path}.operator`, operator, operators)];
  return together(
    validateQualifiedName(key, `${path}.key`),
    valuesProblem(requirement, `${path}.values`),
    each(values, `${path}.values`, validateLabelValue),
  );
}

const fieldOperators = ["In", "NotIn"] as const;
function validateField({ operator, values }: NodeSelectorRequirement, path: string): Outcome {
  if (operator !== "In" && operator !== "NotIn") return unsupported(`${path}.operator`, operator, fieldOperators);
  return values?.length !== 1 && invalid(`${path}.values`, values ?? null, "must have one element");
}

const validateTerm = ({ matchExpressions, matchFields }: NodeSelectorTerm, path: string): readonly Problem[] =>
  together(
    each(matchExpressions, `${path}.matchExpressions`, validateRequirement),
    each(matchFields, `${path}.matchFields`, validateField),
  );

/** What is wrong with the affinity that a profile adds to its pods. */
export const validateAddedAffinity = (affinity: NodeAffinity | undefined, path: string): readonly Problem[] =>
  together(
    each(
      affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
      `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`,
      validateTerm,
    ),
    each(
      affinity?.preferredDuringSchedulingIgnoredDuringExecution?.map(({ preference }) => preference),
      `${path}.preferredDuringSchedulingIgnoredDuringExecution`,
      validateTerm,
    ),
  );
