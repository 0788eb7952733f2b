// Validation of signer names: a domain and a path in it, such as `kubernetes.io/kubelet-serving`.
import type { Problem } from "../errors.ts";
import { validateLabelName, validateSubdomainName } from "../names.ts";
import { detailOf, invalid, required, together, tooLong } from "../problems.ts";

const longestDomain = 253;
const longestName = longestDomain + 1 + (253 + 63 + 1);

/** Each of the labels between dots, and what is wrong with it. */
const labels = (
  text: string,
  path: string,
  validate: (label: string, path: string) => readonly Problem[],
): readonly Problem[] =>
  text
    .split(".")
    .flatMap((label) =>
      validate(label === "" ? "-" : label, path).map((p) =>
        invalid(path, text, `validating label ${JSON.stringify(label)}: ${detailOf(p)}`),
      ),
    );

export function validateSignerName(name: string | undefined, path: string): readonly Problem[] {
  if (!name) return [required(path)];
  const [domain = "", rest, ...more] = name.split("/");
  if (rest === undefined || more.length > 0)
    return [invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  return together(
    domain.length > longestDomain && tooLong(path, longestDomain),
    labels(domain, path, validateLabelName),
    !domain.includes(".") && invalid(path, domain, "should be a domain with at least two segments separated by dots"),
    labels(rest, path, validateSubdomainName),
    name.length > longestName && tooLong(path, longestName),
  );
}
